/** Statuses and the fields that come with them, RFC 9110 section 15, on every port. */
import { answer, PAGE_PATH, type AnswerCase } from './answer-case.ts'

const JSON_TYPE = 'application/json; charset=utf-8'
const HEALTHY = '{"status":"healthy"}'
const NO_CONTENT = { status: 204, body: '' } as const
const COOKIE_CHALLENGE = 'Cookie realm="Usher monitor", form-action="/login", cookie-name="session_id"'

export const ANSWERS: readonly AnswerCase[] = [
  answer('15.4.3', 'the router sends on, and no cache keeps it', {
    on: 'router', path: '/a/b?c=d', status: 302, body: '', headers: { location: /^http:\/\/example\.org:\d+\/a\/b\?c=d$/, 'cache-control': 'no-store', 'content-length': '0' }
  }),
  answer('10.2.2', 'the router escapes what no URI may hold', {
    on: 'router', path: '/a|b^{c}\\[d]`%/%zz%4?e={f}|^[g]\\`%', status: 302, headers: { location: /\/a%7Cb%5E%7Bc%7D%5C%5Bd%5D%60%25\/%25zz%254\?e=%7Bf%7D%7C%5E%5Bg%5D%5C%60%25$/ }
  }),
  answer('10.2.2', 'and nothing else', { on: 'router', path: "/%41%2f%c3%a9-._~!$&'()*+,;=:@//?/%20%5b!$&'()*+,;=:@/?", status: 302, headers: { location: /:\d+\/%41%2f%c3%a9-\._~!\$&'\(\)\*\+,;=:@\/\/\?\/%20%5b!\$&'\(\)\*\+,;=:@\/\?$/ } }),
  answer('10.2.2', 'the router escapes in a beat that it sends on', { on: 'router', method: 'POST', path: '/heartbeat?a|b', fields: 'Content-Length: 0\r\n', status: 307, headers: { location: /\/heartbeat\?a%7Cb$/ } }),
  answer('7.2', 'an absolute target goes before Host', { on: 'router', path: 'http://example.com/a', status: 302, headers: { location: /^http:\/\/example\.com:\d+\/a$/ } }),
  answer('15.5.6', 'the router says what it answers', { on: 'router', method: 'POST', path: '/', status: 405, headers: { allow: 'GET, HEAD' } }),
  answer('9.3.7', 'the router says so to OPTIONS', { on: 'router', method: 'OPTIONS', path: '*', ...NO_CONTENT, headers: { allow: 'GET, HEAD', 'content-length': null, 'set-cookie': null } }),
  answer('9.3.7', 'the router says which methods a beat has', { on: 'router', method: 'OPTIONS', path: '/heartbeat', ...NO_CONTENT, headers: { allow: 'GET, HEAD, POST' } }),
  answer('15.4.8', 'the router sends a beat on as it is', {
    on: 'router', method: 'POST', path: '/heartbeat?a', fields: 'Content-Length: 0\r\n', status: 307, body: '', headers: { location: /^http:\/\/example\.org:\d+\/heartbeat\?a$/, 'cache-control': 'no-store' }
  }),
  answer('15.3.1', 'the router has the page script for other programs\' pages', {
    on: 'router', path: '/usher.js', status: 200, headers: { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-cache', etag: 'ETAG', 'access-control-allow-origin': '*', 'set-cookie': null }
  }),
  answer('15.5.6', 'which is not posted to', { on: 'router', method: 'POST', path: '/usher.js', fields: 'Content-Length: 0\r\n', status: 405, headers: { allow: 'GET, HEAD' } }),
  answer('9.3.7', 'and says so', { on: 'router', method: 'OPTIONS', path: '/usher.js', ...NO_CONTENT, headers: { allow: 'GET, HEAD' } }),
  answer('15.5.5', 'a beat for a server that the router does not know', {
    on: 'router', method: 'POST', path: '/heartbeat?server=x', fields: 'Content-Length: 0\r\n', status: 404, headers: { 'content-type': JSON_TYPE, vary: 'Origin', 'cache-control': 'no-store' }
  }),
  answer('15.5.4', 'a beat at the router of a page that is nobody\'s', {
    on: 'router', method: 'POST', path: '/heartbeat?server=x', fields: 'Origin: https://evil.example\r\nContent-Length: 0\r\n', status: 403, headers: { 'content-type': JSON_TYPE, vary: 'Origin', 'access-control-allow-origin': null }
  }),
  answer('15.5.6', 'a beat for a server, put', { on: 'router', method: 'PUT', path: '/heartbeat?server=x', fields: 'Content-Length: 0\r\n', status: 405, headers: { allow: 'GET, HEAD, POST' } }),
  answer('9.3.7', 'OPTIONS of a leave at the router', { on: 'router', method: 'OPTIONS', path: '/leave', ...NO_CONTENT, headers: { allow: 'GET, HEAD, POST', vary: 'Origin' } }),
  answer('15.4.3', 'a page that is called as leaves are', { on: 'router', path: '/leave?server=x', status: 302, headers: { location: /\/leave\?server=x$/ } }),
  answer('15.3.1', 'the router is healthy', { on: 'router', path: '/healthz', status: 200, body: HEALTHY, headers: { 'content-type': JSON_TYPE, 'set-cookie': null } }),
  answer('15.3.1', 'a server is healthy', { path: '/healthz', status: 200, body: HEALTHY, headers: { 'content-type': JSON_TYPE, 'cache-control': 'no-store', 'set-cookie': null } }),
  answer('15.5.6', 'a probe is not posted to', { method: 'POST', path: '/healthz', status: 405, headers: { allow: 'GET, HEAD' } }),

  answer('15.3.1', 'a page, its length, type and age', {
    path: PAGE_PATH,
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8', 'last-modified': 'DATE', etag: 'ETAG', 'cache-control': 'no-cache', 'content-length': /^\d+$/ }
  }),
  answer('15.3.1', 'a file of nothing has length 0', { path: '/empty.bin', status: 200, headers: { 'content-length': '0' }, body: '' }),
  answer('8.3', 'a type nobody knows', { status: 200, headers: { 'content-type': 'application/octet-stream' } }),
  answer('15.3.5', 'a beat is answered with no content', {
    method: 'POST', path: '/heartbeat', ...NO_CONTENT, headers: { 'content-length': null, 'content-type': null, 'transfer-encoding': null, 'cache-control': 'no-store' }
  }),
  answer('15.3.1', 'a leave is confirmed', { method: 'POST', path: '/leave', status: 200, body: '{"response":"leave received"}', headers: { 'content-type': JSON_TYPE, 'cache-control': 'no-store' } }),
  answer('15.4.2', 'a folder is sent on to its page', { path: '/folder?a=b', status: 301, headers: { location: '/folder/?a=b', 'content-length': '0' }, body: '' }),
  answer('10.2.2', 'a folder escapes what no URI may hold', { path: '/folder?a={b}|^[c]\\`%&%41', status: 301, headers: { location: '/folder/?a=%7Bb%7D%7C%5E%5Bc%5D%5C%60%25&%41' } }),
  answer('15.5.5', 'what is not there', { path: '/nothing', status: 404, headers: { etag: null, 'last-modified': null, 'cache-control': 'no-cache' } }),
  answer('15.5.5', 'an escape that is none', { path: '/%zz', status: 404 }),
  answer('15.5.5', 'a NUL in an escape', { path: '/%00', status: 404 }),
  answer('15.5.6', 'a page is not posted to', { method: 'POST', path: PAGE_PATH, status: 405, headers: { allow: 'GET, HEAD' } }),
  answer('15.5.6', 'a page is not removed', { method: 'DELETE', path: PAGE_PATH, status: 405, headers: { allow: 'GET, HEAD' } }),
  answer('15.5.6', 'a method of WebDAV', { method: 'PROPFIND', path: PAGE_PATH, status: 405, headers: { allow: 'GET, HEAD' } }),
  answer('9.3.7', 'OPTIONS of all', { method: 'OPTIONS', path: '*', ...NO_CONTENT, headers: { allow: 'GET, HEAD' } }),
  answer('9.3.7', 'OPTIONS of a leave', { method: 'OPTIONS', path: '/leave', ...NO_CONTENT, headers: { allow: 'POST' } }),
  answer('15.5.5', 'a beat of one who is not here', {
    path: '/heartbeat?client_id=00000000-0000-4000-8000-000000000000', status: 404, headers: { 'content-type': JSON_TYPE, 'x-active-users': /^\d+$/, 'cache-control': 'no-store' }
  }),
  answer('15.5.6', 'a leave is posted only', { path: '/leave', status: 405, headers: { allow: 'POST' } }),
  answer('15.5.6', 'a beat is asked for or posted', { method: 'PUT', path: '/heartbeat', status: 405, headers: { allow: 'GET, HEAD, POST' } }),
  answer('15.5.1', 'a beat of nobody', { path: '/heartbeat?client_id=x', status: 400, headers: { 'content-type': JSON_TYPE } }),

  answer('15.4.3', 'the console leads to the login', { on: 'monitor', path: '/', status: 302, headers: { location: '/login.html' }, body: '' }),
  answer('15.3.1', 'the login page', { on: 'monitor', path: '/login.html', status: 200, headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' } }),
  answer('15.3.1', 'the monitor is healthy', { on: 'monitor', path: '/healthz', status: 200, body: HEALTHY, headers: { 'content-type': JSON_TYPE } }),
  answer('15.5.2', 'what only people may do wants a session, and says how to get one', { on: 'monitor', path: '/user-info', status: 401, headers: { 'www-authenticate': COOKIE_CHALLENGE } }),
  answer('15.5.2', 'data takes a token as well', { on: 'monitor', path: '/stats', status: 401, headers: { 'www-authenticate': `Bearer realm="Usher monitor", ${COOKIE_CHALLENGE}` } }),
  answer('11.6.1', 'a token of a program that is none, whatever cookies come along', {
    on: 'monitor', path: '/stats', fields: 'Authorization: Bearer usher_x\r\nCookie: session_id=x\r\n', status: 401, headers: { 'www-authenticate': 'Bearer realm="Usher monitor", error="invalid_token"' }
  }),
  answer('15.5.2', 'a path that nobody knows wants one too', { on: 'monitor', path: '/nothing', status: 401, headers: { 'www-authenticate': COOKIE_CHALLENGE } }),
  answer('15.5.2', 'metrics take a token as well', { on: 'monitor', path: '/metrics', status: 401, headers: { 'www-authenticate': `Bearer realm="Usher monitor", ${COOKIE_CHALLENGE}` } }),
  answer('11.6.1', 'a wrong token is said to be one', {
    on: 'monitor', path: '/metrics', fields: 'Authorization: Bearer x\r\n', status: 401, headers: { 'www-authenticate': /^Bearer realm="Usher monitor", error="invalid_token", Cookie / }
  }),
  answer('11.6.2', 'two tokens, the first one right', {
    on: 'monitor', path: '/metrics', fields: 'Authorization: Bearer TOKEN\r\nAuthorization: Bearer x\r\n', status: 401
  }),
  answer('11.6.2', 'the right token twice', { on: 'monitor', path: '/metrics', fields: 'Authorization: Bearer TOKEN\r\n'.repeat(2), status: 401 }),
  answer('11.6.2', 'the right token', { on: 'monitor', method: 'HEAD', path: '/metrics', fields: 'Authorization: bearer TOKEN\r\n', status: 200 }),
  answer('15.5.2', 'credentials that do not match', {
    on: 'monitor',
    method: 'POST',
    path: '/login',
    fields: 'Content-Type: application/json\r\nContent-Length: 33\r\n\r\n{"username":"x","password":"xyz"}',
    status: 401,
    headers: { 'www-authenticate': COOKIE_CHALLENGE }
  }),
  answer('15.5.6', 'a probe is not posted to', {
    on: 'monitor', method: 'POST', path: '/healthz', fields: 'Content-Type: application/json\r\n', status: 405, headers: { allow: 'GET, HEAD' }
  }),
  answer('15.5.6', 'a probe is not put', { on: 'monitor', method: 'PUT', path: '/healthz', status: 405, headers: { allow: 'GET, HEAD' } }),
  answer('15.5.6', 'the console is not removed', { on: 'monitor', method: 'DELETE', path: '/', status: 405, headers: { allow: 'GET, HEAD' } }),
  answer('9.3.7', 'OPTIONS of all of the monitor', { on: 'monitor', method: 'OPTIONS', path: '*', status: 405, headers: { allow: 'GET, HEAD' } }),
  answer('15.5.6', 'a method of WebDAV at the monitor', { on: 'monitor', method: 'PROPFIND', path: '/stats', status: 405, headers: { allow: 'GET, HEAD, POST' } }),
  answer('15.5.6', 'what is only posted is not read', { on: 'monitor', path: '/login', status: 405, headers: { allow: 'POST' } }),
  answer('15.5.16', 'a body that is no JSON', { on: 'monitor', method: 'POST', path: '/login', fields: 'Content-Type: text/plain\r\n', status: 415 }),
  ...[
    'Content-Type: application/json\r\nContent-Type: text/plain\r\n',
    'Content-Type: text/plain\r\nContent-Type: application/json\r\n',
    'Content-Type: application/json; charset=utf-8\r\nContent-Type: text/plain\r\n',
    'Content-Type: application/json\r\nContent-Type: application/json\r\n'
  ].map(fields => answer('8.3', `a body of two types, ${JSON.stringify(fields)}`, {
    on: 'monitor', method: 'POST', path: '/login', fields: `${fields}Content-Length: 2\r\n\r\n{}`, status: 415
  })),
  answer('5.3', 'an action of two origins, the first one ours', {
    on: 'monitor', method: 'POST', path: '/login', fields: 'Content-Type: application/json\r\nOrigin: http://example.org\r\nOrigin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}', status: 403
  }),
  ...['Origin', 'Referer'].map(name => answer('5.3', `a beat whose ${name} is ours and somebody else's`, {
    method: 'POST', path: '/heartbeat', fields: `${name}: http://example.org\r\n${name}: http://evil.example\r\n`, status: 403
  })),
  answer('15.5.16', 'a body that is compressed', {
    on: 'monitor', method: 'POST', path: '/login', fields: 'Content-Type: application/json\r\nContent-Encoding: gzip\r\n', status: 415, headers: { 'accept-encoding': 'identity' }
  }),
  answer('15.5.20', 'a host that is not ours', { on: 'monitor', path: 'http://elsewhere.example/healthz', status: 421 }),
  answer('15.5.1', 'an escape that is none, at the monitor', { on: 'monitor', path: '/%zz', status: 400 })
]
