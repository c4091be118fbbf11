--[[
  Gives the lock up if this owner holds it, void or not, and wakes watchers. Never touches a record. A key without time
  left is gone: a user who may renew a lock may release it, without a permission for DEL.

  KEYS[1]  the key: lock or record; also the channel of its hints

  ARGV[1]  owner

  Output   { done, refused }: 1 if it was this owner's lock, else 0; and the error where the hint could not be published
]]
local owner = string.match(redis.call('GETRANGE', KEYS[1], 0, 255), '^[LV] (%S+) %S+$')
if owner ~= ARGV[1] then
  return { 0 }
end
redis.call('PEXPIRE', KEYS[1], 0)
local told = redis.pcall('SPUBLISH', KEYS[1], 'ended ' .. ARGV[1])
return { 1, type(told) == 'table' and told.err }
