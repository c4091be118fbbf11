// Generated from src/lua by scripts/generate-lua.mjs. Do not edit.
export interface Script {
  readonly sha1: string
  readonly source: string
}

export const complete: Script = {
  sha1: '94ea9077f2c961328bf896569de572aab85b4c52',
  source: "--[[\n  Writes the record once: the first completion of a fingerprint wins, over any lock of that fingerprint. Nothing of\n  another fingerprint is overwritten. Wakes watchers last: an ACL may refuse the publish, the write stands all the same.\n\n  KEYS[1]  the key: lock or record; also the channel of its hints\n\n  ARGV[1]  owner\n  ARGV[2]  fingerprint\n  ARGV[3]  ttl, ms\n  ARGV[4]  the record's bytes\n\n  Output   { 'stored' } | { 'standing', value } | { 'refused' }\n]]\nlocal head = redis.call('GETRANGE', KEYS[1], 0, 255)\nlocal kind, _, fingerprint = string.match(head, '^([LR]) (%S+) (%S+)')\nif head ~= '' and fingerprint ~= ARGV[2] then\n  return { 'refused' }\nend\nif kind == 'R' then\n  return { 'standing', redis.call('GET', KEYS[1]) }\nend\nlocal time = redis.call('TIME')\nlocal stored_at = string.format('%d%03d', time[1], math.floor(time[2] / 1000))\nlocal value = 'R ' .. ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. stored_at .. '\\n' .. ARGV[4]\nredis.call('SET', KEYS[1], value, 'PX', ARGV[3])\nredis.pcall('SPUBLISH', KEYS[1], 'settled ' .. ARGV[1])\nreturn { 'stored' }\n",
}

export const release: Script = {
  sha1: '936901566d27682d7125d15ea85616f11e0b7506',
  source: "--[[\n  Gives the lock up if this owner holds it, and wakes watchers. Never touches a record.\n\n  KEYS[1]  the key: lock or record; also the channel of its hints\n\n  ARGV[1]  owner\n\n  Output   1 if it was this owner's lock, else 0\n]]\nlocal mine = 'L ' .. ARGV[1] .. ' '\nif redis.call('GETRANGE', KEYS[1], 0, #mine - 1) ~= mine then\n  return 0\nend\nredis.call('DEL', KEYS[1])\nredis.pcall('SPUBLISH', KEYS[1], 'ended ' .. ARGV[1])\nreturn 1\n",
}

export const renew: Script = {
  sha1: 'c1a7b8aaeea9d454b3fa5a4f51afd3e9bd2e2f5d',
  source: "--[[\n  Extends the lease of an owner, or takes the lock back for it when the key is absent.\n\n  KEYS[1]  the key: lock or record\n\n  ARGV[1]  owner\n  ARGV[2]  fingerprint\n  ARGV[3]  lease, ms\n\n  Output   'held' | 'retaken' | 'completed' | 'lost'\n]]\nlocal lock = 'L ' .. ARGV[1] .. ' ' .. ARGV[2]\nlocal head = redis.call('GETRANGE', KEYS[1], 0, 255)\nif head == '' then\n  redis.call('SET', KEYS[1], lock, 'PX', ARGV[3])\n  return 'retaken'\nend\nif head == lock then\n  redis.call('PEXPIRE', KEYS[1], ARGV[3])\n  return 'held'\nend\nif string.sub(head, 1, 2) == 'L ' then\n  return 'lost'\nend\nreturn 'completed'\n",
}

export const replaceByLock: Script = {
  sha1: '5cf7b010e7a9ae4e3c075d543e3a76fe6900f002',
  source: "--[[\n  As SET NX GET PX, but a standing record with exactly these bytes counts as absent: the way out of a record that\n  nobody can decode.\n\n  KEYS[1]  the key: lock or record\n\n  ARGV[1]  the lock's value\n  ARGV[2]  lease, ms\n  ARGV[3]  the bytes of the record to replace\n\n  Output   nil if the lock was taken, else the value that stands\n]]\nlocal value = redis.call('GET', KEYS[1])\nif value then\n  local _, head_end = string.find(value, '^R %S+ %S+ %d+\\n')\n  local bytes = string.sub(value, (head_end or 0) + 1)\n  if bytes ~= ARGV[3] or string.match(value, '^L %S+ %S+$') then\n    return value\n  end\nend\nredis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\nreturn nil\n",
}
