/**
 * What the engine does for us in one step: the one place where a name is bound. Redis and Valkey run it as a whole, so that of two
 * instances that bind a name at one time, one is told `bad-key`.
 *
 * Each share has clocks of its own, which go by the engine's, so that no instance's clock matters. `steady` starts as Unix ms and never
 * goes back: addresses age by it. `running` adds up how long any instance has run: bindings age by it (protocol §3). Where the engine's
 * clock jumps, both go on by no more than the caller says that it has been running since it called last.
 *
 * Each change is an entry of the share's stream, with the whole record of its name, and with the id of the entry before it (`prev`). A
 * reader for whom that is not the one it read last has missed something: the stream was cut, or the engine has lost it.
 */
import { ADDRESS_LIFETIME_MS, registryLimits } from '../registry.ts';

/** So many changes of a share can be read later; whoever has missed more loads the share anew. */
export const CHANGES_KEPT = 8_192;
const PROVERS_KEPT = 4;

/** KEYS: names, changes, state. ARGV: operation, epoch, clock or '', the longest step of `running`, and of `steady`; then its own. */
export const SCRIPT = `
local names, changes, state = KEYS[1], KEYS[2], KEYS[3]
local operation, epoch = ARGV[1], ARGV[2]
local function ms(number) return string.format('%.0f', number) end

local clock = tonumber(ARGV[3])
if not clock then
  local time = redis.call('TIME')
  clock = time[1] * 1000 + math.floor(time[2] / 1000)
end
local known = redis.call('HMGET', state, 'epoch', 'last', 'running', 'steady', 'clock')
local last = known[2] or '0-0'
local running, steady, before = tonumber(known[3] or 0), tonumber(known[4] or clock), tonumber(known[5] or clock)
if not known[1] and operation == 'tick' then
  known[1] = epoch
  redis.call('HSET', state, 'epoch', epoch)
end
if known[1] ~= epoch and operation ~= 'tick' then return {'other-epoch', known[1] or '', last, ms(running), ms(steady)} end
local passed = math.max(0, clock - before)
running = running + math.min(passed, tonumber(ARGV[4]))
steady = steady + math.min(passed, tonumber(ARGV[5]))
redis.call('HSET', state, 'running', ms(running), 'steady', ms(steady), 'clock', ms(clock))

local function read(name)
  local text = redis.call('HGET', names, name)
  if not text then return nil end
  local record = {addresses = {}}
  for line in string.gmatch(text, '[^\\n]+') do
    if not record.key then
      local key, proven = string.match(line, '^([^\\t]+)\\t(%d+)$')
      record.key, record.proven = key, tonumber(proven)
    else
      local address, proven, answered, provers = string.match(line, '^([^\\t]+)\\t(%d+)\\t(%d+)\\t(.*)$')
      table.insert(record.addresses, {address = address, proven = proven, answered = tonumber(answered), provers = provers})
    end
  end
  return record
end

-- Notes a change; kind: what happened.
local function note(kind, name, text)
  last = redis.call('XADD', changes, 'MAXLEN', '~', ${CHANGES_KEPT}, '*', 'kind', kind, 'name', name, 'record', text, 'prev', last)
  redis.call('HSET', state, 'last', last)
end

local function write(kind, name, record)
  local lines = {record.key .. '\\t' .. ms(record.proven)}
  for _, a in ipairs(record.addresses) do
    table.insert(lines, a.address .. '\\t' .. a.proven .. '\\t' .. ms(a.answered) .. '\\t' .. a.provers)
  end
  local text = table.concat(lines, '\\n')
  redis.call('HSET', names, name, text)
  note(kind, name, text)
  return text
end

local function answer(status, text, extra)
  return {status, known[1], last, ms(running), ms(steady), text or '', extra or ''}
end

if operation == 'tick' then return answer('ok', '', clock < before and 'behind' or '') end

if operation == 'prove' then
  local name, key, address, instance, lifetime = ARGV[6], ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10])
  local record = read(name)
  local bound = record and running - record.proven < lifetime
  if bound and record.key ~= '-' and record.key ~= key then return answer('bad-key') end
  local kept, provers, isNew = {}, {instance}, true
  for _, a in ipairs(bound and record.key == key and record.addresses or {}) do
    if a.address == address then
      isNew = steady - a.answered >= ${ADDRESS_LIFETIME_MS}
      for other in string.gmatch(a.provers, '[^,]+') do
        if other ~= instance and #provers < ${PROVERS_KEPT} then table.insert(provers, other) end
      end
    elseif steady - a.answered < ${ADDRESS_LIFETIME_MS} and #kept < ${registryLimits.addressesPerName - 1} then
      table.insert(kept, a)
    end
  end
  table.insert(kept, 1, {address = address, proven = ms(steady), answered = steady, provers = table.concat(provers, ',')})
  return answer('ok', write('prove', name, {key = key, proven = running, addresses = kept}), isNew and 'new' or '')
end

if operation == 'confirm' or operation == 'drop' then
  local name, address = ARGV[6], ARGV[7]
  local record = read(name)
  for index, a in ipairs(record and record.addresses or {}) do
    if a.address == address then
      if operation == 'confirm' then
        a.answered, record.proven = steady, running
      else
        table.remove(record.addresses, index)
      end
      return answer('ok', write(operation, name, record))
    end
  end
  return answer('unknown')
end

-- A registration that waits for its proof: every instance is told, and nothing is kept but the entry.
if operation == 'await' then
  note('await', ARGV[6], table.concat({ARGV[7], ms(steady), ARGV[8], ARGV[9]}, '\\t'))
  return answer('ok')
end

-- Bindings that have ended: the instances say which; what is true is looked up here.
if operation == 'expire' then
  local lifetime = tonumber(ARGV[6])
  for index = 7, #ARGV do
    local record = read(ARGV[index])
    if record and running - record.proven >= lifetime then
      redis.call('HDEL', names, ARGV[index])
      note('expire', ARGV[index], '')
    end
  end
  return answer('ok')
end

-- Names that the engine has lost and an instance remembers, or that come from another registry: none is taken from its owner.
if operation == 'restore' then
  local added = 0
  for index = 6, #ARGV, 3 do
    local name, text, age = ARGV[index], ARGV[index + 1], tonumber(ARGV[index + 2])
    if redis.call('HSETNX', names, name, text) == 1 then
      local record = read(name)
      -- A binding that is older than this registry begins with it: it lasts longer, and never shorter.
      record.proven = math.max(0, running - age)
      for _, a in ipairs(record.addresses) do
        a.proven, a.answered = ms(math.min(steady, tonumber(a.proven))), math.min(steady, a.answered)
      end
      write('restore', name, record)
      added = added + 1
    end
  end
  return answer('ok', '', ms(added))
end
return redis.error_reply('murmure: unknown operation ' .. operation)
`;
