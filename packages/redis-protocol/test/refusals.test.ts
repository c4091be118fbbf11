import { describe, expect, test } from 'vitest'
import { asStoreError } from '../src/errors.js'

const sent = { command: 'SET', key: 'idem:{digest}', prefix: 'idem:' }

describe('what a server refuses is named, and what to change is said', () => {
  test.each([
    ["NOPERM this user has no permissions to run the 'set' command", 'SET', '"ACL SETUSER <user> +set"'],
    ["NOPERM User app has no permissions to run the 'set' command", 'SET', '"ACL SETUSER <user> +set"'],
    ["PERMISSIONDENIED this user has no permissions to run the 'set' command", 'SET', '+set"'],
    ['NOPERM this user has no permissions to access one of the keys used as arguments', 'SET', '~idem:*"'],
    ['NOPERM No permissions to access a key', 'SET', '~idem:*"'],
    [
      'NOPERM this user has no permissions to access one of the channels used as arguments',
      'SET',
      '&idem:*"',
    ],
    ["ERR The user executing the script can't run this command or subcommand", 'SET', '+set"'],
    [
      "ERR The user executing the script can't publish to the channel mentioned in the command",
      'SET',
      '&idem:*"',
    ],
    ["ERR The user executing the script can't access at least one of the keys mentioned", 'SET', '~idem:*"'],
    ["ERR unknown command 'set', with args beginning with: 'x'", 'SET', 'do not rename or disable it'],
    ['ERR Unknown Redis command called from script script: abc', 'SET', 'do not rename or disable it'],
    ['NOAUTH Authentication required.', 'NOAUTH', 'a username and a password'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'WRONGPASS', 'the right username'],
    [
      'WRONGTYPE Operation against a key holding the wrong kind of value',
      'WRONGTYPE idem:{digest}',
      '"DEL idem:{digest}"',
    ],
    ['MOVED 3999 127.0.0.1:6381', 'MOVED', 'redisClusterStore'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'OOM', 'eviction policy'],
    ["READONLY You can't write against a read only replica.", 'READONLY', 'connect to the primary'],
    ['MISCONF Redis is configured to save RDB snapshots', 'MISCONF', 'its log'],
    ['NOREPLICAS Not enough good replicas to write.', 'NOREPLICAS', 'min-replicas-to-write'],
    ['LOADING Redis is loading the dataset in memory', 'LOADING', 'loading the dataset'],
    ['CLUSTERDOWN The cluster is down', 'CLUSTERDOWN', 'The cluster is down'],
    ['BUSY Redis is busy running a script.', 'BUSY', 'busy running a script'],
    ['ERR something nobody has heard of', 'SET', 'something nobody has heard of'],
  ])('%s', (message, refused, says) => {
    const error = asStoreError(new Error(message), sent)
    expect(error).toMatchObject({ effect: 'none', refused, code: 'IDEM_STORE_ERROR' })
    expect(error.message).toContain(says)
    // Redis repeats the arguments of a command it does not know.
    expect(error.message).toContain(message.replace(/, with args.*/, ''))
  })

  test.each([
    'read ECONNRESET',
    'Connection is closed.',
    'Socket closed unexpectedly',
    'Command timed out',
    '',
  ])('an error of the connection is not a refusal: %s', (message) => {
    expect(asStoreError(new Error(message), sent)).toMatchObject({ effect: 'unknown', refused: undefined })
  })
})

test.each([undefined, null, 'a text', 7, {}])(
  'whatever was thrown is an error of the store: %j',
  (thrown) => {
    expect(asStoreError(thrown, sent)).toMatchObject({ effect: 'unknown', code: 'IDEM_STORE_ERROR' })
  },
)
