--[[
  Writes the record, over any lock of its fingerprint. Once: the first completion wins; or, for a refresh, over the
  record that stands. A void lock, and anything of another fingerprint, is not overwritten. Wakes watchers last: an ACL may refuse the publish, the
  write stands all the same.

  KEYS[1]  the key: lock or record; also the channel of its hints

  ARGV[1]  owner
  ARGV[2]  fingerprint
  ARGV[3]  ttl, ms
  ARGV[4]  the record's bytes
  ARGV[5]  'once' | 'over'

  Output   { 'stored', nil, refused } | { 'standing', value } | { 'refused' }; refused is the error where the hint could
           not be published
]]
local head = redis.call('GETRANGE', KEYS[1], 0, 255)
local kind, _, fingerprint = string.match(head, '^([LRV]) (%S+) (%S+)')
if head ~= '' and (kind == 'V' or fingerprint ~= ARGV[2]) then
  return { 'refused' }
end
if kind == 'R' and ARGV[5] == 'once' then
  return { 'standing', redis.call('GET', KEYS[1]) }
end
local time = redis.call('TIME')
local stored_at = string.format('%d%03d', time[1], math.floor(time[2] / 1000))
local value = 'R ' .. ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. stored_at .. '\n' .. ARGV[4]
redis.call('SET', KEYS[1], value, 'PX', ARGV[3])
local told = redis.pcall('SPUBLISH', KEYS[1], 'settled ' .. ARGV[1])
return { 'stored', false, type(told) == 'table' and told.err }
