/** What was sent when an error came back. */
export interface Sent {
  /** The name of the command; of a script, the name of the command it failed at. */
  readonly command: string
  /** The name of the key it touches. */
  readonly key: string
  /** What every key and channel begins with. */
  readonly prefix: string
}

/** What the server refuses, in a short name, and what to change. */
export interface Refusal {
  readonly refused: string
  readonly advice: string
}

/** Errors of the server itself, whatever was sent. */
const ADVICE: Readonly<Record<string, string>> = {
  NOAUTH: 'Give the client a username and a password.',
  WRONGPASS: 'Give the client the right username and password.',
  MOVED: 'This server is a node of a cluster: use redisClusterStore of @idem/redis-cluster.',
  OOM: 'It is full: give it more memory, or an eviction policy.',
  READONLY: 'This is a replica: connect to the primary.',
  MISCONF: 'It cannot save to disk: look at its log.',
  NOREPLICAS: 'Too few replicas are connected: see min-replicas-to-write.',
  LOADING: 'It is used when it has read its data.',
  BUSY: 'A script blocks it: "SCRIPT KILL" ends one that has written nothing.',
  CLUSTERDOWN: 'A part of the cluster has no master: see "CLUSTER INFO".',
  MASTERDOWN: 'It has lost its master: see its log.',
}

/** Errors that pass by themselves, often within the time a command has. */
const PASSING = new Set(['LOADING', 'BUSY', 'CLUSTERDOWN', 'MASTERDOWN', 'TRYAGAIN'])

/** Whether a server with this error may accept the same command in a moment. */
export function isPassing(code: string): boolean {
  return PASSING.has(code)
}

/** Says what to do about an error reply. */
export function adviceFor(code: string, message: string, { command, key, prefix }: Sent): Refusal {
  const name = command.toUpperCase()
  // Scripts are refused a command without its name, and with the code ERR on Redis 7.0. GLIDE has its own word for it.
  const isForbidden =
    ['NOPERM', 'PERMISSIONDENIED'].includes(code) ||
    /can't (?:run this command|access at least|publish to)/.test(message)
  if (isForbidden) {
    return { refused: name, advice: `${name} is refused: ${grantFor(name, message, prefix)}` }
  }
  if (/unknown (?:redis )?command/i.test(message)) {
    return {
      refused: name,
      advice: `${name} is not known to this server: do not rename or disable it, and use Redis 7.0 or newer, or Valkey.`,
    }
  }
  if (code === 'WRONGTYPE') {
    return {
      refused: `WRONGTYPE ${key}`,
      advice: `Under ${key} stands what idem did not write. Calls of that key are not shared until it is gone, "DEL ${key}". Give idem a prefix of its own.`,
    }
  }
  return { refused: code === 'ERR' ? name : code, advice: ADVICE[code] ?? '' }
}

/** The rule that the ACL lacks. */
function grantFor(command: string, message: string, prefix: string): string {
  if (/channel/i.test(message))
    return `let the user use the channels of idem, "ACL SETUSER <user> &${prefix}*".`
  if (/\bkeys?\b/i.test(message))
    return `let the user use the keys of idem, "ACL SETUSER <user> ~${prefix}*".`
  return `permit it, "ACL SETUSER <user> +${command.toLowerCase()}".`
}
