/** Everything that the front end has done outside. */
export const FRONT_END_EFFECTS = [
  'sendToPeer',
  'showScreen',
  'refresh',
  'ring',
  'askText',
  'keepDrafts',
  'askLine',
  'listPeers',
  'askPeer',
  'act',
  'askQuit',
  'askWithdrawal',
  'askTrust',
  'askLink',
] as const;
