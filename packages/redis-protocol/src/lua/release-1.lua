--[[
  Gives the lock up if this owner holds it, and wakes watchers. Never touches a record.

  KEYS[1]  the key: lock or record; also the channel of its hints

  ARGV[1]  owner

  Output   1 if it was this owner's lock, else 0
]]
local mine = 'L ' .. ARGV[1] .. ' '
if redis.call('GETRANGE', KEYS[1], 0, #mine - 1) ~= mine then
  return 0
end
redis.call('DEL', KEYS[1])
redis.pcall('SPUBLISH', KEYS[1], 'ended ' .. ARGV[1])
return 1
