--[[
  Removes a record, or makes a lock void: no completion is stored while it stands. The rest of its lease is kept.
  A key without time left is gone, without a permission for DEL.

  KEYS[1]  the key: lock or record

  Output   1 if there was anything to forget, else 0
]]
local head = redis.call('GETRANGE', KEYS[1], 0, 255)
if head == '' then
  return 0
end
if string.match(head, '^[LV] %S+ %S+$') then
  redis.call('SET', KEYS[1], 'V' .. string.sub(head, 2), 'KEEPTTL')
else
  redis.call('PEXPIRE', KEYS[1], 0)
end
return 1
