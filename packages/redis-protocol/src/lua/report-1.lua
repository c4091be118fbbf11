--[[
  Writes one report on a board, over what stood under its name, and gives the board another life.

  KEYS[1]  the board: a hash
  ARGV[1]  the report's name
  ARGV[2]  the report
  ARGV[3]  how long the board lives, ms

  Output   1
]]
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
