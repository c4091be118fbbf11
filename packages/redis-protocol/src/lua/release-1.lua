--[[
  Gives the lock up if this owner holds it, void or not, and wakes watchers. Never touches a record.

  KEYS[1]  the key: lock or record; also the channel of its hints

  ARGV[1]  owner

  Output   1 if it was this owner's lock, else 0
]]
local owner = string.match(redis.call('GETRANGE', KEYS[1], 0, 255), '^[LV] (%S+) %S+$')
if owner ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
redis.pcall('SPUBLISH', KEYS[1], 'ended ' .. ARGV[1])
return 1
