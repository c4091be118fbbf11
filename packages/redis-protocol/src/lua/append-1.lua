--[[
  Adds bytes to a live log where it is as long as `offset` says, and gives it another time to live. The same bytes
  once more are left as they are: the reply to the first try was lost. Wakes watchers, with the bytes if they are few:
  Redis drops subscribers that fall behind.

  KEYS[1]  the live log of one execution

  ARGV[1]  owner
  ARGV[2]  offset
  ARGV[3]  the bytes
  ARGV[4]  life, ms
  ARGV[5]  the channel of the key's hints
  ARGV[6]  the most bytes a hint carries

  Output   { length, refused }: how long the log is, offset plus these bytes when they are in it; and the error where
           the hint could not be published
]]
local offset = tonumber(ARGV[2])
local length = redis.call('STRLEN', KEYS[1])
local size = #ARGV[3]
if length ~= offset then
  local again = offset + size <= length
    and (size == 0 or redis.call('GETRANGE', KEYS[1], offset, offset + size - 1) == ARGV[3])
  return { again and offset + size or length }
end
redis.call('APPEND', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
local carried = size <= tonumber(ARGV[6]) and ARGV[3] or ''
local told = redis.pcall('SPUBLISH', ARGV[5], 'live ' .. ARGV[1] .. ' ' .. offset .. '\n' .. carried)
return { offset + size, type(told) == 'table' and told.err }
