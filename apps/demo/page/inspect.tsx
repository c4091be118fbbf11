import { useSignal } from '@preact/signals'
import type { KeyRow } from '../src/shared/rows.js'
import { duration, bytes as inBytes } from './format.js'
import { isRedisUp, keys, lastAnswered, post } from './state.js'

/** How many keys are shown until somebody asks for all. */
const SHOWN = 8

export function Inspect() {
  const isWhole = useSignal(false)
  return (
    <section class="card inspect" aria-labelledby="inspect">
      <h2 id="inspect">Inspect</h2>
      <LastCall />
      <h3>Keys</h3>
      {!isRedisUp.value ? (
        <p class="hint">Redis is stopped: nobody can say what is in it.</p>
      ) : keys.value.length === 0 ? (
        <p class="hint">None is locked or stored now.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Key</th>
              <th scope="col">State</th>
              <th scope="col">Owner</th>
              <th scope="col">Age</th>
              <th scope="col">TTL</th>
              <th scope="col">Size</th>
              <th scope="col">
                <span class="hidden">Forget</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {keys.value.slice(0, isWhole.value ? undefined : SHOWN).map((key) => (
              <Key key={key.digest} row={key} />
            ))}
          </tbody>
        </table>
      )}
      {keys.value.length > SHOWN && (
        <button
          type="button"
          class="small"
          onClick={() => {
            isWhole.value = !isWhole.value
          }}
        >
          {isWhole.value ? `Show the latest ${SHOWN}` : `Show all ${keys.value.length}`}
        </button>
      )}
    </section>
  )
}

function LastCall() {
  const last = lastAnswered.value
  const lines = Object.entries(last?.headers ?? {})
  return (
    <>
      <h3>Last call{last && <span class="dim"> #{last.id}</span>}</h3>
      {last ? (
        <dl class="headers">
          <div>
            <dt>status</dt>
            <dd>{last.status ?? 'no answer'}</dd>
          </div>
          {last.error !== undefined && (
            <div>
              <dt>error</dt>
              <dd>{last.error}</dd>
            </div>
          )}
          {lines.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      ) : (
        <p class="hint">The headers of its answer will be here.</p>
      )}
    </>
  )
}

function Key({ row: { digest, state, owner, worker, ageMs, ttlMs, bytes } }: { row: KeyRow }) {
  return (
    <tr data-key={digest}>
      <th scope="row" title={digest}>
        {digest.slice(0, 10)}…
      </th>
      <td data-label="State">
        <b class={state === 'locked' ? 'paid' : 'free'}>{state}</b>
      </td>
      <td data-label="Owner" title={owner}>
        {owner.slice(0, 6)}…{worker !== undefined && <span class="dim"> w{worker}</span>}
      </td>
      <td data-label="Age">{duration(ageMs)}</td>
      <td data-label="TTL">{ttlMs === undefined ? 'unknown' : duration(ttlMs)}</td>
      <td data-label="Size">{bytes === undefined ? '–' : inBytes(bytes)}</td>
      <td>
        <button
          type="button"
          class="small"
          aria-label={`Forget ${digest.slice(0, 10)}`}
          onClick={({ currentTarget }) => {
            // The row disappears, and the focus would disappear with it.
            const row = currentTarget.closest('tr')
            const next = row?.nextElementSibling ?? row?.previousElementSibling
            next?.querySelector('button')?.focus()
            void post('forget', { digest })
          }}
        >
          Forget
        </button>
      </td>
    </tr>
  )
}
