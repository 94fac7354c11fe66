/** Whose request a POST or a GET is, by its head alone. */
import t from 'tap'
import { UNKNOWN_ADDRESS } from '@usher/shared/client.ts'
import { csrfRefusal, embeddingRefusal, isForm } from '../../../src/monitor/access/csrf-check.ts'

type Headers = Record<string, string>

function source (authority: string | undefined, isSecure = false) {
  return { address: UNKNOWN_ADDRESS, authority, isSecure }
}

const JSON_TYPE = { 'content-type': 'application/json' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

t.test('CSRF check: what is refused, and with which status', async t => {
  const check = (
    headers: Headers, status: number | undefined,
    { authority = '127.0.0.1:8081', isSecure = false, takesForm = false } = {}
  ): void => {
    const found = csrfRefusal(headers, source(authority, isSecure), takesForm)
    t.equal(found?.status, status, JSON.stringify({ headers, authority, isSecure, takesForm }))
  }
  check(JSON_TYPE, undefined)
  check({ 'content-type': 'Application/JSON; charset=utf-8' }, undefined)
  check({ ...JSON_TYPE, 'sec-fetch-site': 'same-origin' }, undefined)
  for (const site of ['same-site', 'cross-site', 'none', '']) {
    check({ ...JSON_TYPE, 'sec-fetch-site': site }, 403)
  }
  check({ ...JSON_TYPE, origin: 'http://127.0.0.1:8081' }, undefined)
  check({ ...JSON_TYPE, origin: 'http://127.0.0.1:8000' }, 403)
  check({ ...JSON_TYPE, origin: 'http://127.0.0.1' }, 403)
  check({ ...JSON_TYPE, origin: 'https://127.0.0.1:8081' }, 403)
  check({ ...JSON_TYPE, origin: 'http://example.org:8081' }, 403)
  check({ ...JSON_TYPE, origin: 'null' }, 403)
  check({ ...JSON_TYPE, origin: 'http://127.0.0.1:8081/' }, 403)
  check({ ...JSON_TYPE, origin: 'http://localhost' }, undefined, { authority: 'localhost' })
  check({ ...JSON_TYPE, origin: 'http://localhost:80' }, undefined, { authority: 'LOCALHOST' })
  check({ ...JSON_TYPE, origin: 'https://a.example' }, undefined,
    { authority: 'a.example:443', isSecure: true })

  for (const type of ['', 'text/plain', 'multipart/form-data', FORM['content-type']]) {
    check({ 'content-type': type }, 415)
  }
  check({}, 415)
  check({ 'content-type': 'application/json; charset=utf-8, text/plain' }, 415)
  check({ ...JSON_TYPE, 'content-encoding': 'gzip' }, 415)
  check({ ...JSON_TYPE, 'content-encoding': '' }, 415)
  check({ ...JSON_TYPE, 'content-encoding': 'Identity' }, undefined)
  check(FORM, 403, { takesForm: true })
  check({ ...FORM, origin: 'http://127.0.0.1:8081' }, undefined, { takesForm: true })
  check({ ...FORM, origin: 'http://127.0.0.1:8000' }, 403, { takesForm: true })
  check({ 'content-type': 'text/plain' }, 415, { takesForm: true })
})

t.test('CSRF check: what another origin\'s page has a browser read is refused, a link is not', async t => {
  const check = (headers: Headers, status: number | undefined): void => {
    const found = embeddingRefusal(headers, source('127.0.0.1:8081'))
    t.equal(found?.status, status, JSON.stringify(headers))
  }
  check({}, undefined)
  check({ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }, undefined)
  check({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }, undefined)
  check({ origin: 'http://127.0.0.1:8081' }, undefined)
  check({ origin: 'http://127.0.0.1:8000' }, 403)
  check({ origin: 'null' }, 403)
  for (const site of ['same-site', 'cross-site', 'same-origin, same-site']) {
    check({ 'sec-fetch-site': site }, 403)
    check({ 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }, 403)
    check({ 'sec-fetch-site': site, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }, 403)
    check({ 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }, 403)
    check({ 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }, undefined)
    check({ 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate' }, undefined)
  }
})

t.test('CSRF check: a form is told from JSON', async t => {
  t.equal(isForm(FORM), true)
  t.equal(isForm(JSON_TYPE), false)
  t.equal(isForm({}), false)
})
