--[[
  Extends the lease of an owner, or takes the lock back for it when the key is absent, and tells watchers that the owner
  is at work. An ACL may refuse that publish, which the end of the execution reports. A void lock stays void. A lock of
  another owner that somebody took the expiry from is given one: its owner may be gone.

  KEYS[1]  the key: lock or record; also the channel of its hints

  ARGV[1]  owner
  ARGV[2]  fingerprint
  ARGV[3]  lease, ms

  Output   'held' | 'retaken' | 'completed' | 'lost' | 'mended', which is lost to another owner, whose lock had no expiry
]]
local head = redis.call('GETRANGE', KEYS[1], 0, 255)
if head == '' then
  redis.call('SET', KEYS[1], 'L ' .. ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
  redis.pcall('SPUBLISH', KEYS[1], 'held ' .. ARGV[1])
  return 'retaken'
end
local owner = string.match(head, '^[LV] (%S+) %S+$')
if owner == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  redis.pcall('SPUBLISH', KEYS[1], 'held ' .. ARGV[1])
  return 'held'
end
if owner then
  return redis.call('PEXPIRE', KEYS[1], ARGV[3], 'NX') == 1 and 'mended' or 'lost'
end
return 'completed'
