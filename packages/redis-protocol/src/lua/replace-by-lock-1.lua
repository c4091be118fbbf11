--[[
  As SET NX GET PX, but a standing record with exactly these bytes counts as absent: the way out of a record that
  nobody can decode. A lock never has them: no caller can guess the owner in it.

  KEYS[1]  the key: lock or record

  ARGV[1]  the lock's value
  ARGV[2]  lease, ms
  ARGV[3]  the bytes of the record to replace

  Output   nil if the lock was taken, else the value that stands
]]
local value = redis.call('GET', KEYS[1])
if value then
  local _, head_end = string.find(value, '^R %S+ %S+ %d+\n')
  local bytes = string.sub(value, (head_end or 0) + 1)
  if bytes ~= ARGV[3] then
    return value
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return nil
