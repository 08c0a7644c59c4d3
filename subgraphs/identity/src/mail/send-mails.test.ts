import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { forkSystem } from '@sluice/kit/database'
import { silentLog } from '@sluice/kit/log'
import { SMTPServer } from 'smtp-server'
import { expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { openWorld, type World } from '../testing.ts'
import { openMailTransport, type MailTransport } from './mail-transport.ts'
import { Mail } from './mail.entity.ts'
import { mailPage, recordMail, retryMail } from './mail.ts'
import { attemptsMax, keptMax, openMailSender, purgeMails, sendDueMails } from './send-mails.ts'

interface Received {
  from: string
  to: string[]
  data: string
}

/** A real SMTP server; `refuse` answers the recipient with this status. */
async function openSmtp() {
  const received: Received[] = []
  const state = { refuse: 0 }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo(_address, _session, done) {
      if (state.refuse === 0) return done()
      done(Object.assign(new Error('not here'), { responseCode: state.refuse }))
    },
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        received.push({
          from: envelope.mailFrom ? envelope.mailFrom.address : '',
          to: envelope.rcptTo.map(({ address }) => address),
          // Quoted-printable breaks long lines.
          data: Buffer.concat(chunks).toString().replaceAll('=\r\n', ''),
        })
        done()
      })
    },
  })
  server.on('error', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return {
    url: `smtp://127.0.0.1:${port}`,
    received,
    state,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(resolve)),
  }
}

const depsOf = ({ deps }: World, transport: MailTransport | null) => ({
  orm: deps.orm,
  transport,
  consoleOrigin: 'https://console.example.test',
  now: deps.now,
  log: silentLog,
})

async function addMail(world: World, changes: { address?: string } = {}): Promise<void> {
  const em = forkSystem(world.db.orm)
  recordMail(em, {
    kind: 'password-changed',
    address: 'ada@example.test',
    userId: null,
    ip: '192.0.2.1',
    at: world.deps.now(),
    ...changes,
  })
  await em.flush()
}

const mailsOf = (world: World) =>
  forkSystem(world.db.orm).find(Mail, {}, { orderBy: { createdAt: 'asc', id: 'asc' } })

test('signing up mails a link to the address, and no row holds the link', async () => {
  await using world = await openWorld()
  await using smtp = await openSmtp()
  const ada = await world.person()
  const transport = openMailTransport(smtp.url, 'Sluice <sluice@example.test>')

  await sendDueMails(depsOf(world, transport))

  const [mail] = smtp.received
  const token = /https:\/\/console\.example\.test\/confirm-email#([\w-]{43})/.exec(
    mail?.data ?? '',
  )?.[1]
  expect(mail).toMatchObject({ from: 'sluice@example.test', to: [ada.email] })
  expect(token).toBeDefined()
  expect(await mailsOf(world)).toMatchObject([{ outcome: 'sent', attempts: 1, text: null }])
  const rows = await forkSystem(world.db.orm).execute(
    `select to_jsonb(m) || coalesce(to_jsonb(l), '{}') as one from identity.mail m left join identity.mail_link l on l.mail_id = m.id`,
  )
  expect(JSON.stringify(rows)).toContain(ada.userId)
  expect(JSON.stringify(rows)).not.toContain(token)
  transport.close()
})

test('of several senders, one sends each mail', async () => {
  await using world = await openWorld()
  await using smtp = await openSmtp()
  for (let index = 0; index < 8; index += 1) {
    await addMail(world, { address: `${index}@example.test` })
  }
  const transport = openMailTransport(smtp.url, 'sluice@example.test')

  await Promise.all([1, 2, 3].map(() => sendDueMails(depsOf(world, transport))))

  expect(smtp.received.map(({ to }) => String(to[0])).toSorted()).toEqual(
    Array.from({ length: 8 }, (_, index) => `${index}@example.test`),
  )
  transport.close()
})

test('while the mail server is away a mail waits longer each time, and is given up in the end', async () => {
  await using world = await openWorld()
  await addMail(world)
  const transport = openMailTransport('smtp://127.0.0.1:9', 'sluice@example.test')
  const deps = depsOf(world, transport)
  const waits: number[] = []

  for (let tried = 1; tried < attemptsMax; tried += 1) {
    expect(await sendDueMails(deps)).toBe(1)
    expect(await sendDueMails(deps)).toBe(0)
    const [mail] = await mailsOf(world)
    const waitMs = (mail?.nextAttemptAt.getTime() ?? 0) - world.deps.now().getTime()
    waits.push(waitMs)
    world.pass(waitMs)
  }
  await sendDueMails(deps)

  expect(waits[0]).toBeLessThanOrEqual(60_000)
  expect(waits.at(-1)).toBeGreaterThan(60 * 60_000)
  expect(await mailsOf(world)).toMatchObject([
    { outcome: 'failed', attempts: attemptsMax, lastError: expect.stringContaining('REFUSED') },
  ])
  transport.close()
})

test('a mailbox that does not exist is not tried again, a full one is', async () => {
  await using world = await openWorld()
  await using smtp = await openSmtp()
  const transport = openMailTransport(smtp.url, 'sluice@example.test')
  smtp.state.refuse = 450
  await addMail(world)
  await sendDueMails(depsOf(world, transport))
  const [waiting] = await mailsOf(world)
  smtp.state.refuse = 550
  world.pass(60_000)
  await sendDueMails(depsOf(world, transport))

  expect(waiting).toMatchObject({ outcome: null, attempts: 1 })
  expect(await mailsOf(world)).toMatchObject([{ outcome: 'failed', attempts: 2 }])
  transport.close()
})

test('a sender that dies in the middle leaves the mail to another', async () => {
  await using world = await openWorld()
  await using smtp = await openSmtp()
  await addMail(world)
  const dying: MailTransport = { send: () => new Promise(() => undefined), close: () => undefined }
  void sendDueMails(depsOf(world, dying))
  await expect.poll(async () => (await mailsOf(world))[0]?.attempts, { timeout: 10_000 }).toBe(1)
  const transport = openMailTransport(smtp.url, 'sluice@example.test')

  expect(await sendDueMails(depsOf(world, transport))).toBe(0)
  world.pass(5 * 60_000)
  expect(await sendDueMails(depsOf(world, transport))).toBe(1)

  expect(smtp.received).toHaveLength(1)
  transport.close()
})

test('an address cannot smuggle in a second one or a header', async () => {
  await using world = await openWorld()
  await using smtp = await openSmtp()
  const transport = openMailTransport(smtp.url, 'sluice@example.test')
  await addMail(world, { address: 'a@example.test, b@example.test' })
  await addMail(world, { address: 'c@example.test\r\nBcc: d@example.test' })

  await sendDueMails(depsOf(world, transport))

  const recipients = smtp.received.flatMap(({ to }) => to)
  expect(recipients).not.toContain('b@example.test')
  expect(recipients).not.toContain('d@example.test')
  expect(smtp.received.map(({ data }) => data).join()).not.toMatch(/^bcc:/im)
  transport.close()
})

test('without a mail server the newest mails are kept for staff, with their text', async () => {
  await using world = await openWorld()
  await world.person()
  const deps = depsOf(world, null)
  await sendDueMails(deps)
  const [kept] = await mailsOf(world)
  for (let index = 0; index < keptMax; index += 1) {
    world.pass(1)
    await addMail(world)
  }
  while ((await sendDueMails(deps)) > 0);

  expect(kept).toMatchObject({
    outcome: 'kept',
    subject: 'Confirm your email address – Sluice',
    text: expect.stringContaining('https://console.example.test/confirm-email#'),
  })
  const left = await mailsOf(world)
  expect(left).toHaveLength(keptMax)
  expect(left.map(({ id }) => id)).not.toContain(kept?.id)
})

test('mails are for staff alone, who send one again that was given up', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const member = await ada.context()
  await forkSystem(world.db.orm).execute(
    'update identity."user" set is_admin = true where id = ?',
    [ada.userId],
  )
  const staff = await ada.context()
  await forkSystem(world.db.orm).nativeUpdate(Mail, {}, { outcome: 'failed', endedAt: new Date() })
  const { nodes } = await mailPage(staff, {})
  const id = nodes[0]?.id ?? ''

  await expect(mailPage(member, {})).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  await expect(retryMail(member, id)).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  await expect(mailPage(world.request().context, {})).rejects.toMatchObject({
    code: 'SLUICE_UNAUTHENTICATED',
  })
  const again = await Promise.allSettled([retryMail(staff, id), retryMail(staff, id)])

  expect(again.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect(await mailsOf(world)).toMatchObject([{ outcome: null, attempts: 0 }])
  expect(await forkSystem(world.db.orm).count(AuditEntry, { action: 'mail.retried' })).toBe(1)
})

test('a sender that runs sends what is recorded, as soon as it is woken', async () => {
  await using world = await openWorld()
  await using smtp = await openSmtp()
  const transport = openMailTransport(smtp.url, 'sluice@example.test')
  const sender = openMailSender(depsOf(world, transport))
  await addMail(world)
  sender.wake()

  await expect.poll(() => smtp.received.length, { timeout: 10_000 }).toBe(1)
  await sender.close()
})

test('mails that ended long ago are deleted, those that wait are not', async () => {
  await using world = await openWorld()
  await addMail(world)
  await sendDueMails(depsOf(world, null))
  world.pass(1)
  await addMail(world)
  world.pass(31 * 24 * 60 * 60_000)

  await purgeMails(forkSystem(world.db.orm), world.deps.now())

  expect(await mailsOf(world)).toMatchObject([{ outcome: null }])
})
