// The page of the local inspector. Whatever was captured is written as text, never as markup.

const token = document.querySelector('meta[name="sluice-token"]').content
const list = document.querySelector('#list')
const content = document.querySelector('#content')
const filter = document.querySelector('#filter')
const status = document.querySelector('#status')

/** Rows that the page keeps; the program drops older ones as well. */
const rowsMax = 500

/** By id, the newest first in the list. */
const exchanges = new Map()
let chosen = null

function element(name, { text, children = [], ...properties } = {}) {
  const made = document.createElement(name)
  Object.assign(made, properties)
  if (text !== undefined) made.textContent = text
  made.append(...children)
  return made
}

function say(text) {
  status.textContent = text
}

async function ask(path, options = {}) {
  const answer = await fetch(path, options)
  const value = await answer.json()
  if (!answer.ok) throw new Error(value.error ?? `The program answered ${answer.status}.`)
  return value
}

const change = (path, body) =>
  ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-sluice-token': token },
    body: JSON.stringify(body ?? {}),
  })

function bytesText(bytes) {
  if (bytes < 1000) return `${bytes} B`
  return bytes < 1024 * 1000
    ? `${(bytes / 1024).toFixed(1)} KiB`
    : `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

function durationText(ms) {
  if (ms === null) return 'running'
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`
}

function statusText({ status: code, code: reason, durationMs }) {
  if (code !== null) return String(code)
  if (reason !== null) return 'failed'
  return durationMs === null ? '…' : 'ended'
}

function styleOf({ status: code, code: reason }) {
  if (reason !== null || code >= 500) return 'bad'
  if (code >= 400) return 'warn'
  return 'good'
}

function matches({ method, path, tunnel, status: code }) {
  const wanted = filter.value.trim().toLowerCase()
  return `${method} ${path} ${tunnel} ${code}`.toLowerCase().includes(wanted)
}

// The list

function rowOf(exchange) {
  const { id, tunnel, method, path, startedAt, durationMs, responseBytes, replayOf } = exchange
  const about = [
    new Date(startedAt).toLocaleTimeString(),
    tunnel,
    durationText(durationMs),
    bytesText(responseBytes),
    ...(replayOf === null ? [] : [`replay of #${replayOf}`]),
  ]
  const button = element('button', {
    type: 'button',
    children: [
      element('span', { text: method }),
      element('span', { text: path, className: 'path' }),
      element('span', { text: statusText(exchange), className: styleOf(exchange) }),
      element('span', { text: about.join(' · '), className: 'about' }),
    ],
  })
  button.dataset.id = id
  button.addEventListener('click', () => choose(id))
  if (id === chosen) button.setAttribute('aria-current', 'true')
  return element('li', { children: [button] })
}

function drawList() {
  const focused = document.activeElement?.dataset?.id
  const shown = [...exchanges.values()]
    .toSorted((a, b) => Number(b.id) - Number(a.id))
    .filter(matches)
  list.replaceChildren(...shown.map(rowOf))
  document.querySelector('#empty').hidden = exchanges.size > 0
  if (focused) list.querySelector(`[data-id="${focused}"]`)?.focus()
}

function take(changed) {
  for (const exchange of changed) exchanges.set(exchange.id, exchange)
  const ids = [...exchanges.keys()].toSorted((a, b) => Number(a) - Number(b))
  for (const id of ids.slice(0, Math.max(0, ids.length - rowsMax))) exchanges.delete(id)
  drawList()
  const current = changed.find(({ id }) => id === chosen)
  if (current && !content.querySelector('form')) void show(chosen)
}

list.addEventListener('keydown', (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (step === undefined) return
  const buttons = [...list.querySelectorAll('button')]
  const next = buttons[buttons.indexOf(document.activeElement) + step]
  if (!next) return
  event.preventDefault()
  next.focus()
})

// One exchange

async function choose(id) {
  chosen = id
  drawList()
  await show(id)
  document.querySelector('#detail').focus()
}

async function show(id) {
  try {
    const detail = await ask(`/api/exchanges/${id}`)
    if (id === chosen) draw(detail)
  } catch (error) {
    say(error.message)
  }
}

function draw(detail) {
  document.querySelector('#nothing').hidden = true
  content.hidden = false
  const { id, method, path, tunnel, visitor, startedAt, durationMs, code, isCut } = detail
  const facts = [
    ['Status', statusText(detail)],
    ['Tunnel', tunnel],
    ['Visitor', visitor],
    ['Began', new Date(startedAt).toLocaleString()],
    ['Took', durationText(durationMs)],
    ...(code === null ? [] : [['Failure', code]]),
    ...(isCut ? [['Note', 'The response was broken off.']] : []),
  ]
  content.replaceChildren(
    element('p', { children: [element('code', { text: `#${id}  ${method} ${path}` })] }),
    actionsOf(detail),
    fieldsOf(facts),
    ...partOf('Request', [detail.requestHead], detail.frames ? null : detail.requestBody),
    ...partOf('Response', detail.responseHeads, detail.frames ? null : detail.responseBody),
    ...(detail.frames ? framesOf(detail) : []),
  )
}

function fieldsOf(pairs) {
  return element('dl', {
    children: pairs.flatMap(([name, value]) => [
      element('dt', { text: name }),
      element('dd', { text: value }),
    ]),
  })
}

function partOf(title, heads, body) {
  return [
    element('h3', { text: title }),
    ...heads.flatMap(({ line, fields }) => [
      element('p', { children: [element('code', { text: line })] }),
      fieldsOf(fields),
    ]),
    ...(body === null || body.totalBytes === 0 ? [] : bodyOf(title, body)),
  ]
}

function bodyOf(title, { text, totalBytes, keptBytes, decoded }) {
  const notes = [
    bytesText(totalBytes),
    ...(decoded === null ? [] : [`shown without ${decoded}`]),
    ...(keptBytes < totalBytes ? [`cut: only the first ${bytesText(keptBytes)} were kept`] : []),
    ...(text === null ? ['not text'] : []),
  ]
  const block = element('pre', { text: text === null ? '(binary)' : readable(text), tabIndex: 0 })
  block.setAttribute('role', 'region')
  block.setAttribute('aria-label', `${title} body`)
  return [element('p', { text: `Body: ${notes.join(', ')}` }), block]
}

/** JSON is easier to read with line breaks. */
function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

function framesOf({ frames, requestBody, responseBody }) {
  const bytes = requestBody.totalBytes + responseBody.totalBytes
  const kept = requestBody.keptBytes + responseBody.keptBytes
  const cells = (name, texts) =>
    element('tr', { children: texts.map((text) => element(name, { text })) })
  return [
    element('h3', { text: 'WebSocket' }),
    element('p', {
      text: `${bytesText(bytes)}${kept < bytes ? `, cut: only the first ${bytesText(kept)} were kept` : ''}`,
    }),
    element('table', {
      children: [
        element('thead', { children: [cells('th', ['From', 'Time', 'Kind', 'Size', 'Text'])] }),
        element('tbody', {
          children: frames.map(({ from, atMs, kind, bytes: size, text }) =>
            cells('td', [
              from,
              new Date(atMs).toLocaleTimeString(),
              kind,
              bytesText(size),
              text ?? '',
            ]),
          ),
        }),
      ],
    }),
  ]
}

// Replay

function actionsOf(detail) {
  const replay = element('button', { type: 'button', text: 'Replay' })
  replay.addEventListener('click', () => void send(detail.id, {}))
  const edit = element('button', { type: 'button', text: 'Edit and replay' })
  edit.addEventListener('click', () => editor(detail))
  return element('div', { className: 'actions', children: [replay, edit] })
}

function editor(detail) {
  content.querySelector('form')?.remove()
  const { id, method, path, requestHead, requestBody } = detail
  const part = (label, control) => {
    control.id = `edit-${label.toLowerCase()}`
    const caption = element('label', { text: label })
    caption.htmlFor = control.id
    return [caption, control]
  }
  const controls = {
    method: element('input', { value: method }),
    path: element('input', { value: path }),
    headers: element('textarea', {
      rows: 8,
      value: requestHead.fields.map(([name, value]) => `${name}: ${value}`).join('\n'),
    }),
    body: element('textarea', { rows: 8, value: requestBody.text ?? '' }),
  }
  const isWhole = requestBody.text !== null && requestBody.keptBytes === requestBody.totalBytes
  const form = element('form', {
    children: [
      ...part('Method', controls.method),
      ...part('Path', controls.path),
      ...part('Headers', controls.headers),
      ...part('Body', controls.body),
      ...(isWhole
        ? []
        : [
            element('p', {
              text: 'The body was cut or is not text: what stands here is sent instead.',
            }),
          ]),
      element('div', {
        className: 'actions',
        children: [element('button', { type: 'submit', text: 'Send' })],
      }),
    ],
  })
  const before = controls.body.value
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const rows = controls.headers.value.split('\n').filter((row) => row.trim() !== '')
    const isChanged = controls.body.value !== before || !isWhole
    void send(id, {
      method: controls.method.value.trim(),
      path: controls.path.value.trim(),
      headers: rows.map((row) => {
        const colon = row.indexOf(':')
        return colon < 1 ? [row, ''] : [row.slice(0, colon).trim(), row.slice(colon + 1).trim()]
      }),
      ...(isChanged ? { body: controls.body.value } : {}),
    })
  })
  content.querySelector('.actions').after(form)
  controls.method.focus()
}

async function send(id, edits) {
  say('Sending …')
  try {
    const { id: made } = await change(`/api/exchanges/${id}/replay`, edits)
    say(`Sent again as #${made}.`)
    content.querySelector('form')?.remove()
    await refresh()
    await choose(made)
  } catch (error) {
    say(error.message)
  }
}

// Everything

async function refresh() {
  const answer = await ask('/api/exchanges')
  exchanges.clear()
  take(answer.exchanges)
}

filter.addEventListener('input', drawList)
async function clear() {
  try {
    await change('/api/clear')
    chosen = null
    content.hidden = true
    content.replaceChildren()
    document.querySelector('#nothing').hidden = false
    await refresh()
    say('Cleared.')
  } catch (error) {
    say(error.message)
  }
}
document.querySelector('#clear').addEventListener('click', () => void clear())

const events = new EventSource('/api/events')
// After a gap the whole list: what passed meanwhile is there as well.
events.addEventListener('open', () => {
  say('Live')
  refresh().catch((error) => say(error.message))
})
events.addEventListener('message', ({ data }) => take(JSON.parse(data)))
events.addEventListener('error', () => say('The program does not answer. Is it running?'))
