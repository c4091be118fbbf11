--[[
  Removes a record, or makes a lock void: no completion is stored while it stands. The rest of its lease is kept.

  KEYS[1]  the key: lock or record

  Output   1 if there was anything to forget, else 0
]]
local head = redis.call('GETRANGE', KEYS[1], 0, 255)
if head == '' then
  return 0
end
if string.match(head, '^[LV] %S+ %S+$') then
  redis.call('SETRANGE', KEYS[1], 0, 'V')
else
  redis.call('DEL', KEYS[1])
end
return 1
