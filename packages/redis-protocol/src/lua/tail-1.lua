--[[
  The live log of one execution from an offset on.

  KEYS[1]  the live log of one execution

  ARGV[1]  offset

  Output   the bytes, none at the end of the log; nil if there is no log
]]
if redis.call('EXISTS', KEYS[1]) == 0 then
  return nil
end
return redis.call('GETRANGE', KEYS[1], ARGV[1], -1)
