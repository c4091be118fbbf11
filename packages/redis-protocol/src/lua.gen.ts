// Generated from src/lua by scripts/generate-lua.mjs. Do not edit.
export interface Script {
  readonly sha1: string
  readonly source: string
}

export const append: Script = {
  sha1: '3ee34b8fea6a770732e69deec12008ee92f29b93',
  source: "--[[\n  Adds bytes to a live log where it is as long as `offset` says, and gives it another time to live. The same bytes\n  once more are left as they are: the reply to the first try was lost. Wakes watchers, with the bytes if they are few:\n  Redis drops subscribers that fall behind.\n\n  KEYS[1]  the live log of one execution\n\n  ARGV[1]  owner\n  ARGV[2]  offset\n  ARGV[3]  the bytes\n  ARGV[4]  life, ms\n  ARGV[5]  the channel of the key's hints\n  ARGV[6]  the most bytes a hint carries\n\n  Output   { length, refused }: how long the log is, offset plus these bytes when they are in it; and the error where\n           the hint could not be published\n]]\nlocal offset = tonumber(ARGV[2])\nlocal length = redis.call('STRLEN', KEYS[1])\nlocal size = #ARGV[3]\nif length ~= offset then\n  local again = offset + size <= length\n    and (size == 0 or redis.call('GETRANGE', KEYS[1], offset, offset + size - 1) == ARGV[3])\n  return { again and offset + size or length }\nend\nredis.call('APPEND', KEYS[1], ARGV[3])\nredis.call('PEXPIRE', KEYS[1], ARGV[4])\nlocal carried = size <= tonumber(ARGV[6]) and ARGV[3] or ''\nlocal told = redis.pcall('SPUBLISH', ARGV[5], 'live ' .. ARGV[1] .. ' ' .. offset .. '\\n' .. carried)\nreturn { offset + size, type(told) == 'table' and told.err }\n",
}

export const complete: Script = {
  sha1: 'd51a51bf65404a77063bbbfd421687a47a5143f4',
  source: "--[[\n  Writes the record, over any lock of its fingerprint. Once: the first completion wins; or, for a refresh, over the\n  record that stands. A void lock, and anything of another fingerprint, is not overwritten. Wakes watchers last: an ACL may refuse the publish, the\n  write stands all the same.\n\n  KEYS[1]  the key: lock or record; also the channel of its hints\n\n  ARGV[1]  owner\n  ARGV[2]  fingerprint\n  ARGV[3]  ttl, ms\n  ARGV[4]  the record's bytes\n  ARGV[5]  'once' | 'over'\n\n  Output   { 'stored', nil, refused } | { 'standing', value } | { 'refused' }; refused is the error where the hint could\n           not be published\n]]\nlocal head = redis.call('GETRANGE', KEYS[1], 0, 255)\nlocal kind, _, fingerprint = string.match(head, '^([LRV]) (%S+) (%S+)')\nif head ~= '' and (kind == 'V' or fingerprint ~= ARGV[2]) then\n  return { 'refused' }\nend\nif kind == 'R' and ARGV[5] == 'once' then\n  return { 'standing', redis.call('GET', KEYS[1]) }\nend\nlocal time = redis.call('TIME')\nlocal stored_at = string.format('%d%03d', time[1], math.floor(time[2] / 1000))\nlocal value = 'R ' .. ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. stored_at .. '\\n' .. ARGV[4]\nredis.call('SET', KEYS[1], value, 'PX', ARGV[3])\nlocal told = redis.pcall('SPUBLISH', KEYS[1], 'settled ' .. ARGV[1])\nreturn { 'stored', false, type(told) == 'table' and told.err }\n",
}

export const forget: Script = {
  sha1: 'ee3d9b4e6bd28c4d946f7550eee9075d30ed9cc1',
  source: "--[[\n  Removes a record, or makes a lock void: no completion is stored while it stands. The rest of its lease is kept.\n  A key without time left is gone, without a permission for DEL.\n\n  KEYS[1]  the key: lock or record\n\n  Output   1 if there was anything to forget, else 0\n]]\nlocal head = redis.call('GETRANGE', KEYS[1], 0, 255)\nif head == '' then\n  return 0\nend\nif string.match(head, '^[LV] %S+ %S+$') then\n  redis.call('SET', KEYS[1], 'V' .. string.sub(head, 2), 'KEEPTTL')\nelse\n  redis.call('PEXPIRE', KEYS[1], 0)\nend\nreturn 1\n",
}

export const release: Script = {
  sha1: 'e3386ac1b8db327f39916a7b17dd3dcdd0bf429a',
  source: "--[[\n  Gives the lock up if this owner holds it, void or not, and wakes watchers. Never touches a record. A key without time\n  left is gone: a user who may renew a lock may release it, without a permission for DEL.\n\n  KEYS[1]  the key: lock or record; also the channel of its hints\n\n  ARGV[1]  owner\n\n  Output   { done, refused }: 1 if it was this owner's lock, else 0; and the error where the hint could not be published\n]]\nlocal owner = string.match(redis.call('GETRANGE', KEYS[1], 0, 255), '^[LV] (%S+) %S+$')\nif owner ~= ARGV[1] then\n  return { 0 }\nend\nredis.call('PEXPIRE', KEYS[1], 0)\nlocal told = redis.pcall('SPUBLISH', KEYS[1], 'ended ' .. ARGV[1])\nreturn { 1, type(told) == 'table' and told.err }\n",
}

export const renew: Script = {
  sha1: '7230014ea2c7698c0efb062dc8a934b819b0c00e',
  source: "--[[\n  Extends the lease of an owner, or takes the lock back for it when the key is absent, and tells watchers that the owner\n  is at work. An ACL may refuse that publish, which the end of the execution reports. A void lock stays void. A lock of\n  another owner that somebody took the expiry from is given one: its owner may be gone.\n\n  KEYS[1]  the key: lock or record; also the channel of its hints\n\n  ARGV[1]  owner\n  ARGV[2]  fingerprint\n  ARGV[3]  lease, ms\n\n  Output   'held' | 'retaken' | 'completed' | 'lost' | 'mended', which is lost to another owner, whose lock had no expiry\n]]\nlocal head = redis.call('GETRANGE', KEYS[1], 0, 255)\nif head == '' then\n  redis.call('SET', KEYS[1], 'L ' .. ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])\n  redis.pcall('SPUBLISH', KEYS[1], 'held ' .. ARGV[1])\n  return 'retaken'\nend\nlocal owner = string.match(head, '^[LV] (%S+) %S+$')\nif owner == ARGV[1] then\n  redis.call('PEXPIRE', KEYS[1], ARGV[3])\n  redis.pcall('SPUBLISH', KEYS[1], 'held ' .. ARGV[1])\n  return 'held'\nend\nif owner then\n  return redis.call('PEXPIRE', KEYS[1], ARGV[3], 'NX') == 1 and 'mended' or 'lost'\nend\nreturn 'completed'\n",
}

export const replaceByLock: Script = {
  sha1: '0e237999c9e8c42d9722178876662e081b6235f8',
  source: "--[[\n  As SET NX GET PX, but a standing record with exactly these bytes counts as absent: the way out of a record that\n  nobody can decode. A lock never has them: no caller can guess the owner in it.\n\n  KEYS[1]  the key: lock or record\n\n  ARGV[1]  the lock's value\n  ARGV[2]  lease, ms\n  ARGV[3]  the bytes of the record to replace\n\n  Output   nil if the lock was taken, else the value that stands\n]]\nlocal value = redis.call('GET', KEYS[1])\nif value then\n  local _, head_end = string.find(value, '^R %S+ %S+ %d+\\n')\n  local bytes = string.sub(value, (head_end or 0) + 1)\n  if bytes ~= ARGV[3] then\n    return value\n  end\nend\nredis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\nreturn nil\n",
}

export const report: Script = {
  sha1: 'de4536a4d5a0350857ba5dc5952543ffa3febe9b',
  source: "--[[\n  Writes one report on a board, over what stood under its name, and gives the board another life.\n\n  KEYS[1]  the board: a hash\n  ARGV[1]  the report's name\n  ARGV[2]  the report\n  ARGV[3]  how long the board lives, ms\n\n  Output   1\n]]\nredis.call('HSET', KEYS[1], ARGV[1], ARGV[2])\nredis.call('PEXPIRE', KEYS[1], ARGV[3])\nreturn 1\n",
}

export const tail: Script = {
  sha1: '059a8658d253e9e192d1b869b4142db7efeb1e9e',
  source: "--[[\n  The live log of one execution from an offset on.\n\n  KEYS[1]  the live log of one execution\n\n  ARGV[1]  offset\n\n  Output   the bytes, none at the end of the log; nil if there is no log\n]]\nif redis.call('EXISTS', KEYS[1]) == 0 then\n  return nil\nend\nreturn redis.call('GETRANGE', KEYS[1], ARGV[1], -1)\n",
}
