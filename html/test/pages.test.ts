/** What every page promises: nothing from elsewhere, nothing inline where a policy forbids it. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

const SITES = ['html/site-1', 'html/site-2', 'html/site-3']
const ROOM_FILES = ['/room.css', '/room.js', '/mark.svg', '/usher.js', '/']

/** The tokens that the servers fill in, by page; each stands in its page once. */
const TOKENS = {
  'denied.html': ['__VISITOR__', '__WHEN__'],
  'fault.html': ['__CODE__'],
  'full.html': [],
  'network.html': [],
  'unavailable.html': []
}

function addressesIn (html: string): string[] {
  return [...html.matchAll(/ (?:src|href)="([^"#][^"]*)"/g)].map(match => match[1]!)
}

function countOf (text: string, part: string): number {
  return text.split(part).length - 1
}

for (const site of SITES) {
  t.test(`pages: ${site} is whole and ready for a strict policy`, async t => {
    for (const name of ['index.html', '404.html']) {
      const html = readFileSync(`${site}/${name}`, 'utf8')
      t.notMatch(html, / (?:style|on\w+)=/, `${name}: no inline style, no handler`)
      t.notMatch(html, /<script(?![^>]* src=)|<style/, `${name}: no inline script, no inline sheet`)
      t.strictSame(addressesIn(html).filter(address => !ROOM_FILES.includes(address)), [])
      t.match(html, /<html lang="en">/)
      t.match(html, /<title>[^<]+<\/title>/)
      t.match(html, /<link rel="icon" href="\/mark.svg" type="image\/svg\+xml">/)
      t.match(html, /<meta name="theme-color" content="#[0-9a-f]{6}" media="\(prefers-color-scheme: dark\)">/)
      t.match(html, /<meta name="description" content="[^"]+">/)
      t.equal(countOf(html, '<script src="/usher.js" defer></script>'), 1)
      t.equal(countOf(html, '<h1>'), 1)
    }
  })

  t.test(`pages: ${site} says no number before one is known`, async t => {
    const html = readFileSync(`${site}/index.html`, 'utf8')
    t.match(html, /<p class="crowd" id="crowd" hidden><b id="people"><\/b>/)
    t.equal(countOf(html, 'class="once-counted" hidden'), 2)
    t.notMatch(html, /\bServer \d|\b80\d\d\b/)
    t.equal(countOf(html, '<use href="#seat" x='), 59)
    t.equal(countOf(html, '<use class="you" href="#seat" x='), 1)
    t.match(html, /<meta property="og:description" content="[^"]+">/)
  })
}

t.test('pages: what needs the script is hidden until it runs', async t => {
  for (const site of SITES) {
    const html = readFileSync(`${site}/index.html`, 'utf8')
    t.match(html, /<section class="crowding" id="crowding" hidden>/)
    t.match(html, /id="bring-in" type="button">Bring in 30 people</)
    t.match(html, /id="send-home" type="button" hidden>Send them home</)
    t.match(html, /<figure class="rooms" id="rooms" hidden>/)
    t.match(html, /<p class="stay" id="stay"><\/p>/, 'not a live region, and empty')
    t.equal(countOf(html, 'role="status"'), 2, 'what came of a deed, and whether the number is live')
  }
})

t.test('pages: every element that the script asks for is there, once', async t => {
  const scripts = ['room-view', 'crowd-view'].map(name => readFileSync(`html/room-script/${name}.ts`, 'utf8'))
  const ids = [...scripts.join().matchAll(/getElementById\('([^']+)'\)/g)].map(match => match[1]!)
  t.ok(ids.length > 10)
  for (const site of SITES) {
    const html = readFileSync(`${site}/index.html`, 'utf8')
    for (const id of new Set(ids)) t.equal(countOf(html, ` id="${id}"`), 1, `${site}: ${id}`)
  }
})

t.test('pages: the sheet and the mark bring in nothing from elsewhere', async t => {
  for (const name of ['room.css', 'mark.svg']) {
    const text = readFileSync(`html/common/${name}`, 'utf8')
    t.notMatch(text, /url\(|@import|@font-face/, name)
    t.strictSame(text.match(/https?:[^"]+/g) ?? [], name === 'mark.svg' ? ['http://www.w3.org/2000/svg'] : [])
  }
})

t.test('pages: what a visitor without a site is shown needs nothing else', async t => {
  t.strictSame(readdirSync('html/pages').sort(), Object.keys(TOKENS))
  for (const [name, tokens] of Object.entries(TOKENS)) {
    const html = readFileSync(`html/pages/${name}`, 'utf8')
    t.strictSame(addressesIn(html).filter(address => address !== 'data:,'), [], name)
    t.notMatch(html, /<script|url\(|@import|https?:/, name)
    t.match(html, /prefers-color-scheme: dark/, name)
    t.match(html, /<html lang="en">/, name)
    t.match(html, /<title>[^<]+<\/title>/, name)
    t.equal(countOf(html, '<h1>'), 1, name)
    t.strictSame([...html.matchAll(/__[A-Z_]+__/g)].map(match => match[0]), tokens, name)
  }
})

/** What the monitor fills in, by page, and how often it stands there. */
const MONITOR_TOKENS: Record<string, Record<string, number>> = {
  'continue.html': { __ADDRESS__: 2 },
  'denied.html': { __ADDRESS__: 1 },
  'login.html': { __ERROR__: 1 },
  'no-permission.html': { __USERNAME__: 2 },
  'password.html': { __ERROR__: 1 },
  'tracker.html': {}
}
const MONITOR_FILES = [
  '__ADDRESS__', '/usher.css', '/mark.svg', '/continue.js', '/login.js', '/no-permission.js', '/password.js', '/theme.js', '/tracker.js',
  '/password.html', '/tracker.css', '/tracker.html'
]

t.test('pages: the monitor\'s are ready for a strict policy', async t => {
  const pages = readdirSync('html/monitor').filter(name => name.endsWith('.html'))
  t.strictSame(pages.sort(), Object.keys(MONITOR_TOKENS))
  for (const [name, tokens] of Object.entries(MONITOR_TOKENS)) {
    const html = readFileSync(`html/monitor/${name}`, 'utf8')
    t.notMatch(html, / (?:style|on\w+)=/, `${name}: no inline style, no handler`)
    t.notMatch(html, /<script(?![^>]* src=)|<style/, `${name}: no inline script, no inline sheet`)
    t.strictSame(addressesIn(html).filter(address => !MONITOR_FILES.includes(address)), [], name)
    t.match(html, /<html lang="en">/, name)
    t.match(html, /<title>[^<]+ · Usher<\/title>/, name)
    const found = new Set([...html.matchAll(/__[A-Z_]+__/g)].map(match => match[0]))
    const counts = [...found].map(token => [token, countOf(html, token)])
    t.strictSame(Object.fromEntries(counts), tokens, name)
  }
  t.notMatch(readFileSync('html/monitor/assets/usher.css', 'utf8'), /@import|@font-face|url\(/)
})

t.test('pages: every field of the monitor has a name for everybody', async t => {
  for (const name of Object.keys(MONITOR_TOKENS)) {
    const html = readFileSync(`html/monitor/${name}`, 'utf8')
    for (const [tag] of html.matchAll(/<(?:input|select)[^>]*>/g)) {
      const id = / id="([^"]+)"/.exec(tag)?.[1]
      const isNamed = / aria-label=| hidden/.test(tag) || html.includes(`<label for="${id}">`) ||
        html.includes(`<label>${tag}`) || html.includes(`<label class="choice">${tag}`) ||
        / class="sr">[^<]+<\/span>$/.test(html.slice(0, html.indexOf(tag)))
      t.ok(isNamed, `${name}: ${tag}`)
    }
  }
})

t.test('pages: the monitor\'s forms send what it takes, without JavaScript too', async t => {
  const fieldsOf = (page: string): string[] => {
    const html = readFileSync(`html/monitor/${page}`, 'utf8')
    return [...html.matchAll(/<input[^>]* name="([^"]+)"/g)].map(match => match[1]!)
  }
  t.strictSame(fieldsOf('login.html'), ['username', 'password'])
  t.strictSame(fieldsOf('password.html'), ['current', 'next'])
  t.strictSame(fieldsOf('no-permission.html'), [])
})
