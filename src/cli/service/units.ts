/** Units for systemd: a peer as a service of its user, and a directory as a service of the system. systemd.service(5), systemd.exec(5). */

export interface PeerUnit {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Absolute path; nothing else is written. */
  readonly home: string;
}

/** What both need of the network, and of the machine: no more. V8 compiles at run time, so memory may become executable. */
const HARDENING = [
  'NoNewPrivileges=yes',
  'LockPersonality=yes',
  'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'SystemCallArchitectures=native',
  'SystemCallFilter=@system-service',
  'SystemCallErrorNumber=EPERM',
  'UMask=0077',
];

/** A mistake in settings, a foreign key, or another process on the same home: starting again does not help. */
const RESTART = ['Restart=on-failure', 'RestartSec=5', 'RestartPreventExitStatus=2 6 7 8'];

export function peerUnit({ command, home }: PeerUnit): string {
  return unit({
    Unit: [
      'Description=murmure: publishes and downloads messages',
      'Wants=network-online.target',
      'After=network-online.target',
    ],
    Service: [`ExecStart=${commandLine([...command, 'serve', '--home', home])}`, ...RESTART, ...HARDENING],
    Install: ['WantedBy=default.target'],
  });
}

const STATE = 'murmure-directory';

/** Under a user of its own that systemd makes; its home is /var/lib/murmure-directory. */
export function directoryUnit(command: readonly string[], options: readonly string[]): string {
  const line = commandLine([...command, 'directory', '--home', `/var/lib/${STATE}`, ...options]);
  return unit({
    Unit: ['Description=murmure: directory of peers', 'Wants=network-online.target', 'After=network-online.target'],
    Service: [
      `ExecStart=${line}`,
      'DynamicUser=yes',
      `StateDirectory=${STATE}`,
      'StateDirectoryMode=0700',
      ...RESTART,
      ...HARDENING,
      'AmbientCapabilities=CAP_NET_BIND_SERVICE',
      'CapabilityBoundingSet=CAP_NET_BIND_SERVICE',
      'PrivateDevices=yes',
      'PrivateTmp=yes',
      'ProcSubset=pid',
      'ProtectClock=yes',
      'ProtectControlGroups=yes',
      'ProtectHome=yes',
      'ProtectHostname=yes',
      'ProtectKernelLogs=yes',
      'ProtectKernelModules=yes',
      'ProtectKernelTunables=yes',
      'ProtectProc=invisible',
      'ProtectSystem=strict',
      'RemoveIPC=yes',
      'LimitNOFILE=1048576',
    ],
    Install: ['WantedBy=multi-user.target'],
  });
}

function unit(sections: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(sections)
    .map(([name, lines]) => `[${name}]\n${lines.join('\n')}\n`)
    .join('\n');
}

/** Quoted as systemd wants it: in `"`, with `\`, `"`, `%` and `$` taken as they are. */
function commandLine(words: readonly string[]): string {
  return words
    .map((word) => {
      const escaped = word.replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$');
      return /^[\w@%+=:,./-]+$/.test(word) ? escaped : `"${escaped}"`;
    })
    .join(' ');
}
