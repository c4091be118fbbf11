import type { Store } from '@idem/core/store'
import { type Broken, because, one } from './broken.js'
import { PlainStore } from './plain-store.js'

const METHODS = [
  'acquire',
  'renew',
  'complete',
  'release',
  'leaveNote',
  'readNote',
  'read',
  'forget',
  'append',
  'tail',
  'watch',
] as const

/** The plain store, asked about the name that `rename` makes of every key. */
function renaming(rename: (key: string) => string): Store {
  const store = new PlainStore() as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const name of METHODS) {
    const method = store[name]!.bind(store)
    store[name] = (key, ...rest) => method(rename(key as string), ...rest)
  }
  return store as unknown as Store
}

function refuse(key: string, pattern: RegExp): string {
  if (pattern.test(key)) throw new Error(`${key} is not a key`)
  return key
}

class CutsNames extends PlainStore {
  protected override lock(...[key, holder, leaseMs]: Parameters<PlainStore['lock']>): void {
    super.lock(key, { ...holder, owner: holder.owner.replace(/^-/, '') }, leaseMs)
  }
}

class JoinedNames extends PlainStore {
  override leaveNote(key: string, owner: string, ending: Uint8Array, ms: number): Promise<void> {
    return super.leaveNote('', `${key}_${owner}`, ending, ms)
  }
  override readNote(key: string, owner: string): Promise<Uint8Array | undefined> {
    return super.readNote('', `${key}_${owner}`)
  }
}

class EndingsUnderKeys extends PlainStore {
  override async leaveNote(key: string, owner: string, ending: Uint8Array, ms: number): Promise<void> {
    this.write(`${key}-${owner}`, { owner, fingerprint: owner }, ending, ms)
  }
  override async readNote(key: string, owner: string): Promise<Uint8Array | undefined> {
    const there = this.at(`${key}-${owner}`)
    return there?.kind === 'record' ? new Uint8Array(there.bytes) : undefined
  }
}

export const keys: Broken[] = [
  {
    breaks: 'Keys of less than four characters are refused.',
    open: one(renaming((key) => refuse(key, /^.{0,3}$/))),
    fails: 'a key may be one character, a letter or a digit',
    alsoFails: because(
      'it begins with a key of one character',
      'a key may be `-` or `_` alone, or end in them on both sides',
    ),
  },
  {
    breaks: 'A key that begins with `-` is taken for an option.',
    open: one(renaming((key) => refuse(key, /^-/))),
    fails: 'a key may be `-` or `_` alone, or end in them on both sides',
    alsoFails: because('its keys begin with `-`', '`-` and `_` at the ends of a key belong to it'),
  },
  {
    breaks: 'Keys are cut after 63 characters.',
    open: one(renaming((key) => key.slice(0, 63))),
    fails: 'a key may be 64 characters, and all of them count',
    alsoFails: {},
  },
  {
    breaks: 'Keys are trimmed of what is neither letter nor digit.',
    open: one(renaming((key) => key.replace(/^[-_]+(?=.)|(?<=.)[-_]+$/g, ''))),
    fails: '`-` and `_` at the ends of a key belong to it',
    alsoFails: because(
      'its keys differ in such a character at an end',
      'every character of base64url is one of its own',
      'keys that differ in one letter, its case or its length are different keys',
    ),
  },
  {
    breaks: '`_` and `-` are the same.',
    open: one(renaming((key) => key.replaceAll('_', '-'))),
    fails: 'every character of base64url is one of its own',
    alsoFails: because(
      'its keys differ in nothing else',
      '`-` and `_` at the ends of a key belong to it',
      'endings and logs stand under no key',
      'keys that differ in one letter, its case or its length are different keys',
    ),
  },
  {
    breaks: 'An owner loses the `-` it begins with.',
    open: one(new CutsNames()),
    fails: 'owners and fingerprints may be as short, as long and as pointed as keys',
    alsoFails: because('its owner is `-`', 'names of one letter and of sixty-four are kept whole'),
  },
  {
    breaks: 'An ending is kept under key and owner, joined by `_`.',
    open: one(new JoinedNames()),
    fails: 'where a key ends and an owner begins is never guessed',
    alsoFails: {},
  },
  {
    breaks: 'Endings are kept among the keys, as `key-owner`.',
    open: one(new EndingsUnderKeys()),
    fails: 'endings and logs stand under no key',
    alsoFails: because(
      'it joins a key and an owner by `-`',
      'where a key ends and an owner begins is never guessed',
    ),
  },
]
