import { openDnsServer } from '@sluice/kit/testing-dns-server'
import { expect, onTestFinished, test } from 'vitest'

import { checkDns } from './dns-check.ts'

const question = { domain: 'app.example.com', token: 'abc123', cnameTarget: 'edge.sluice.test' }
const txtName = '_sluice-challenge.app.example.com'

async function createWorld() {
  const dns = await openDnsServer()
  onTestFinished(() => dns.close())
  return { dns, check: () => checkDns(question, { dnsServers: [dns.address] }) }
}

test('both records are found', async () => {
  const { dns, check } = await createWorld()
  dns.txt(txtName, 'sluice-verify=abc123')
  dns.cname('app.example.com', 'Edge.Sluice.Test')

  expect(await check()).toEqual({ txtFound: true, cnameFound: true, problem: null })
})

test('the right value among others, and in several pieces, is found', async () => {
  const { dns, check } = await createWorld()
  dns.txt(txtName, 'v=spf1 -all')
  dns.txt(txtName, 'sluice-ver', 'ify=abc123')

  expect(await check()).toMatchObject({ txtFound: true, problem: null })
})

test('a record that is missing is named', async () => {
  const { check } = await createWorld()

  expect(await check()).toEqual({
    txtFound: false,
    cnameFound: false,
    problem: `there is no TXT record ${txtName}`,
  })
})

test('a wrong value is told beside the right one', async () => {
  const { dns, check } = await createWorld()
  dns.txt(txtName, 'sluice-verify=of-somebody-else')

  expect(await check()).toMatchObject({
    txtFound: false,
    problem:
      'the TXT record is “sluice-verify=of-somebody-else”, it should be “sluice-verify=abc123”',
  })
})

test('what somebody else put into DNS is told without invisible characters, and cut', async () => {
  const { dns, check } = await createWorld()
  dns.txt(txtName, `sluice-verify=\0\u001b[31m\u202e${'x'.repeat(200)}`)

  const { problem } = await check()

  expect(problem).toMatch(/^the TXT record is “sluice-verify=[^\p{Cc}\p{Cf}]{1,86}”, it should be/u)
})

test('a DNS server that fails proves nothing either way', async () => {
  const { dns, check } = await createWorld()
  dns.fail(txtName)
  dns.fail('app.example.com')

  expect(await check()).toEqual({
    txtFound: null,
    cnameFound: null,
    problem: 'DNS did not answer',
  })
})

test('a CNAME that leads elsewhere is not found', async () => {
  const { dns, check } = await createWorld()
  dns.cname('app.example.com', 'elsewhere.example.com')

  expect(await check()).toMatchObject({ cnameFound: false })
})

test('the addresses of the target in place of a CNAME count, as at the top of a zone', async () => {
  const { dns, check } = await createWorld()
  dns.a('app.example.com', '198.51.100.7')
  dns.a('edge.sluice.test', '198.51.100.7')

  expect(await check()).toMatchObject({ cnameFound: true })
})

test('a change of DNS is seen at once', async () => {
  const { dns, check } = await createWorld()
  const before = await check()
  dns.txt(txtName, 'sluice-verify=abc123')
  const after = await check()

  expect([before.txtFound, after.txtFound]).toEqual([false, true])
})
