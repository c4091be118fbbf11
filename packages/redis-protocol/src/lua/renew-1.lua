--[[
  Extends the lease of an owner, or takes the lock back for it when the key is absent.

  KEYS[1]  the key: lock or record

  ARGV[1]  owner
  ARGV[2]  fingerprint
  ARGV[3]  lease, ms

  Output   'held' | 'retaken' | 'completed' | 'lost'
]]
local lock = 'L ' .. ARGV[1] .. ' ' .. ARGV[2]
local head = redis.call('GETRANGE', KEYS[1], 0, 255)
if head == '' then
  redis.call('SET', KEYS[1], lock, 'PX', ARGV[3])
  return 'retaken'
end
if head == lock then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 'held'
end
if string.sub(head, 1, 2) == 'L ' then
  return 'lost'
end
return 'completed'
