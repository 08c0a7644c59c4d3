import { expect, test } from 'vitest'

import { isText, redact } from './redact.ts'

test.for<[string, string]>([
  ['{"user":"ada","password":"hun\\"ter2","n":1}', '{"user":"ada","password":"[redacted]","n":1}'],
  ['{"access_token" : "abc", "ok":true}', '{"access_token" : "[redacted]", "ok":true}'],
  [
    '{"pin":1234,"x":[{"clientSecret":"s"}]}',
    '{"pin":"[redacted]","x":[{"clientSecret":"[redacted]"}]}',
  ],
  // Cut in the middle of the secret.
  ['{"a":1,"apiKey":"abcdef', '{"a":1,"apiKey":"[redacted]"'],
  ['{"tokens":["kept: a list has no name"]}', '{"tokens":["kept: a list has no name"]}'],
])('in JSON %s becomes %s', ([text, expected]) => {
  expect(redact(text, 'application/json; charset=utf-8')).toBe(expected)
})

test('in a form the values of secret fields go', () => {
  const form = 'application/x-www-form-urlencoded'
  expect(redact('user=ada&password=hunter2&x=1', form)).toBe('user=ada&password=[redacted]&x=1')
  expect(redact('old_password=a&new_password=b', form)).toBe(
    'old_password=[redacted]&new_password=[redacted]',
  )
})

test('in a multipart form the values of secret parts go', () => {
  const part = (name: string, value: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  const text = `${part('user', 'ada')}${part('password', 'hunter2')}--b--`

  expect(redact(text, 'multipart/form-data; boundary=b')).toBe(
    text.replace('hunter2', '[redacted]'),
  )
})

test('a hostile body is gone through in linear time', () => {
  const startedMs = performance.now()
  for (const unit of [
    '"',
    '\\',
    '"pin',
    'pin',
    '"password":"',
    '"a":',
    'a\n',
    'content-disposition:',
    ' name="pin"',
    '\r\n',
    '&pin=',
    '\\"',
  ]) {
    const many = unit.repeat(250_000 / unit.length)
    for (const start of ['', '"', '{"password":"', 'content-disposition: name="pin"\n', '&pin']) {
      for (const type of [
        'application/json',
        'multipart/form-data',
        'application/x-www-form-urlencoded',
      ]) {
        redact(start + many, type)
      }
    }
  }
  expect(performance.now() - startedMs).toBeLessThan(15_000)
})

test('text is known by its type, and without one by its bytes', () => {
  expect(isText('application/problem+json', Buffer.alloc(0))).toBe(true)
  expect(isText('image/png', Buffer.from('text'))).toBe(false)
  expect(isText('', Buffer.from('plain ü'))).toBe(true)
  expect(isText('', Buffer.from([0x50, 0x00, 0x01]))).toBe(false)
  expect(isText('', Buffer.from([0xff, 0xfe, 0xfd, 0x41, 0x41, 0x41, 0x41]))).toBe(false)
})
