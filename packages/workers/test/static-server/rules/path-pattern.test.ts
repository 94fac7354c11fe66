import fc from 'fast-check'
import t from 'tap'
import type { PathPattern } from '@usher/shared/site-rules.ts'
import {
  canonicalSegments, fillIn, fillInQuery, matchPath, parsePattern, pathOf
} from '../../../src/static-server/rules/path-pattern.ts'

function patternOf (text: string): PathPattern {
  const pattern = parsePattern(text)
  if (typeof pattern === 'string') throw new Error(`${text} ${pattern}`)
  return pattern
}

function match (
  pattern: string, path: string, isSlashExact = false
): Record<string, string> | undefined {
  const captures = matchPath(patternOf(pattern), canonicalSegments(path), isSlashExact)
  return captures === undefined ? undefined : Object.fromEntries(captures)
}

t.test('path pattern: what a rule is for, and what its placeholders stand for', async t => {
  const cases: ReadonlyArray<[pattern: string, path: string, captures: object | undefined]> = [
    ['/', '/', {}], ['/', '/a', undefined], ['/', '//', {}], ['/a', '/a', {}], ['/a', '/a/', {}], ['/a/', '/a', {}],
    ['/a', '/a//', undefined], ['/a', '/A', undefined], ['/a', '/', undefined], ['/a', '', undefined],
    ['/*', '/', { splat: '' }], ['/*', '/a/b/', { splat: 'a/b/' }], ['/*', '//a', { splat: '/a' }],
    ['/a/*', '/a', { splat: '' }], ['/a/*', '/a/', { splat: '' }], ['/a/*', '/ab', undefined], ['/a/*', '/', undefined],
    ['/a*', '/a', { splat: '' }], ['/a*', '/ab/c', { splat: 'b/c' }], ['/a*', '/b', undefined],
    ['/*.jpg', '/x/y.jpg', { splat: 'x/y' }], ['/*.jpg', '/.jpg', { splat: '' }], ['/*.jpg', '/jpg', undefined],
    ['/a/*/z', '/a/b/c/z', { splat: 'b/c' }], ['/a/*/z', '/a/b/z/', { splat: 'b' }], ['/a/*/z', '/a//z', { splat: '' }],
    ['/a/*/z', '/a/z', undefined], ['/a/*/', '/a/b', { splat: 'b' }], ['/ab*ba', '/aba', undefined], ['/ab*ba', '/abba', { splat: '' }],
    ['/:x', '/a', { x: 'a' }], ['/:x', '/a/', { x: 'a' }], ['/:x', '/', undefined], ['/:x', '/a/b', undefined],
    ['/:x/:y', '/a/b', { x: 'a', y: 'b' }], ['/a-:x.html', '/a-b.c.html', { x: 'b.c' }], ['/a-:x.html', '/a-.html', undefined],
    ['/:x/*', '/a/b/c', { x: 'a', splat: 'b/c' }], ['/:x/*/:y', '/a/b/c', { x: 'a', splat: 'b', y: 'c' }],
    ['/:x/*', '/', undefined], ['/:x/*', '/a', { x: 'a', splat: '' }],
    // One spelling of escapes on both sides.
    ['/a%20b', '/a%20b', {}], ['/é', '/%c3%a9', {}], ['/%C3%A9', '/%c3%a9', {}], ['/%41', '/A', {}], ['/A', '/%41', {}],
    ['/a%2Fb', '/a%2fb', {}], ['/a%2Fb', '/a/b', undefined], ['/a/b', '/a%2Fb', undefined], ['/@x', '/%40x', {}], ['/*', '/%40x%3a', { splat: '@x:' }],
    ['/*', '/%zz/%ff', { splat: '%25zz/%ff' }], ['/*', '/%', { splat: '%25' }], ['/%3Ax', '/:x', {}], ['/a%2A', '/a*', {}], ['/:1', '/:1', {}]
  ]
  for (const [pattern, path, captures] of cases) t.strictSame(match(pattern, path), captures, `${pattern} for ${path}`)
  t.equal(match('/a', '/a/', true), undefined)
  t.strictSame(match('/a/', '/a/', true), {})
})

const TEXT = fc.stringMatching(/^[a-c]{0,3}$/)
const SEGMENT = fc.oneof(TEXT, fc.constant(':x'), fc.constant(':y'), TEXT.map(text => `${text}:z`), fc.constant('*'), TEXT.map(text => `${text}*b`))
const PATTERN = fc.array(SEGMENT, { minLength: 1, maxLength: 4 }).map(segments => `/${segments.join('/')}`)
  .filter(text => typeof parsePattern(text) !== 'string' && !text.endsWith('/'))
const PATH = fc.array(TEXT, { minLength: 1, maxLength: 5 }).map(segments => `/${segments.join('/')}`)

/** The same rules as one expression, as the hosts' own tools make it. */
function modelOf (pattern: string): RegExp {
  const source = pattern.replaceAll(/:(\w)/g, '(?<$1>[^/]+)')
  return new RegExp(`^${source.endsWith('/*') && source !== '/*'
    ? `${source.slice(0, -2)}(?:/(?<splat>.*))?`
    : source.replace('*', '(?<splat>.*)') + (source.includes('*') && source.split('*')[1]!.split('/').length === 1 ? '' : '/?')}$`)
}

t.test('path pattern: agrees with a regular expression', async t => {
  fc.assert(fc.property(PATTERN, PATH, (pattern, path) => {
    const expected = modelOf(pattern).exec(path)
    const groups = expected === null ? undefined : { ...expected.groups, ...pattern.includes('*') ? { splat: expected.groups?.['splat'] ?? '' } : {} }
    const found = match(pattern, path)
    t.strictSame(found === undefined ? undefined : new Map(Object.entries(found).sort()),
      groups === undefined ? undefined : new Map(Object.entries(groups).sort()), `${pattern} for ${path}`)
  }), { numRuns: 3000 })
})

t.test('path pattern: a path of many segments and a rule of many placeholders are no trouble', async t => {
  const names = Array.from({ length: 26 }, (_, at) => `x-:${String.fromCharCode(97 + at)}-x`)
  const path = `/${Array.from({ length: 26 }, () => 'x-'.repeat(2000)).join('/')}`
  t.equal(match(`/${names.join('/')}`, path), undefined)
  t.equal(match(`/*/${names.join('/')}`, `/y${path}`), undefined)
})

t.test('path pattern: values are filled in, where they are known', async t => {
  const captures = new Map([['a', '1&2'], ['splat', 'x/y']])
  t.equal(fillIn('/:a/:splat/:b:8080', captures), '/1&2/x/y/:b:8080')
  t.equal(fillInQuery('?a=:a&b=:splat', captures), '?a=1%262&b=x/y')
  t.equal(pathOf(patternOf('/u/:a/*.x/z'), captures), '/u/1&2/x/y.x/z')
})
