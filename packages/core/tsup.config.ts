import shared from '../../tsup.config.js'

/**
 * Three entries that share their code, in CommonJS too: a class of errors, or the mark of a call that is under way, must
 * be the same whichever entry it comes from.
 */
export default { ...shared, entry: ['src/index.ts', 'src/store.ts', 'src/dialect.ts'], splitting: true }
