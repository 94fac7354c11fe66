/** Lines of `_headers` and `_redirects` that are refused, each with the words of the refusal. */

export interface BadLines {
  readonly file: '_headers' | '_redirects'
  readonly text: string
  /** Where the problem is, from 1. */
  readonly line: number
  readonly what: RegExp
}

const LOOP = /goes round in circles/
const OUTSIDE = /has \. or \.\. in its (?:path|destination); a rule is for what is inside the folder/
const FRAMING = /which is of the connection or the message itself/

/** A folder with `index.html` and `sub/index.html` stands around them. */
export const BAD_LINES: readonly BadLines[] = [
  // Redirects that mean nothing.
  { file: '_redirects', text: '/a', line: 1, what: /has no destination, which begins with/ },
  { file: '_redirects', text: '# comment\n\n/a 301', line: 3, what: /has no destination/ },
  { file: '_redirects', text: 'a /b', line: 1, what: /begins with "a"; a rule begins with a path/ },
  { file: '_redirects', text: '/a b', line: 1, what: /has no destination/ },
  { file: '_redirects', text: '/a b /c', line: 1, what: /has "b" where the destination or name=value is expected/ },
  { file: '_redirects', text: '/a =b /c', line: 1, what: /has "=b" where/ },
  { file: '_redirects', text: '/a x=1 x=2 /c', line: 1, what: /asks for the parameter "x" twice/ },
  { file: '_redirects', text: '/a /b 418', line: 1, what: /has status 418; 200, 301, 302, 303, 307, 308, 404 are known/ },
  { file: '_redirects', text: '/a /b 99999999999999999999', line: 1, what: /has status 9+; 200/ },
  { file: '_redirects', text: '/a /b !', line: 1, what: /has "!" behind its destination/ },
  { file: '_redirects', text: '/a /b 301 /c', line: 1, what: /has "\/c" behind its destination/ },
  { file: '_redirects', text: '/a /b permanent', line: 1, what: /has "permanent" behind its destination; a status may stand there/ },
  { file: '_redirects', text: '/a?b /c', line: 1, what: /has a query in its path/ },
  { file: '_redirects', text: '/a#b /c', line: 1, what: /has a # in its path/ },
  { file: '_redirects', text: '/a/*/b/* /c', line: 1, what: /has more than one \* in its path/ },
  { file: '_redirects', text: '/:a-:b /c', line: 1, what: /has ":a-:b" between two slashes/ },
  { file: '_redirects', text: '/:a*/x /c', line: 1, what: /has ":a\*" between two slashes/ },
  { file: '_redirects', text: '/:a/:a /c', line: 1, what: /has :a twice in its path/ },
  { file: '_redirects', text: '/:a a=:a /c', line: 1, what: /has :a twice/ },
  { file: '_redirects', text: '/:splat /c', line: 1, what: /has a placeholder :splat; that is what \* stands for/ },
  { file: '_redirects', text: '/news/:year/:slug /blog/:year/:story_id', line: 1, what: /has :story_id in its destination, which nothing in front of it names/ },
  { file: '_redirects', text: '/a /b/:splat', line: 1, what: /has :splat in its destination, but no \* in its path/ },
  { file: '_redirects', text: '/a //evil.example/', line: 1, what: /has a destination with \/\/ at its beginning/ },
  { file: '_redirects', text: '/a /\\evil.example/', line: 1, what: /has a destination with \/\/ at its beginning/ },
  { file: '_redirects', text: '/a https://', line: 1, what: /has no valid URL as its destination/ },
  { file: '_redirects', text: '/a http://[::1/', line: 1, what: /has no valid URL as its destination/ },
  { file: '_redirects', text: '/* https://:splat/', line: 1, what: /has a placeholder in the host of its destination/ },
  { file: '_redirects', text: '/:a https://x.example:a/', line: 1, what: /has a placeholder in the host/ },
  { file: '_redirects', text: '/a javascript:alert(1)', line: 1, what: /has no destination/ },

  // What a format knows and means nothing here.
  { file: '_redirects', text: '/api/* https://api.example.com/:splat 200', line: 1, what: /sends requests on to another server, which is not done here/ },
  { file: '_redirects', text: '/x https://example.com/404 404', line: 1, what: /shows a page of another server/ },
  { file: '_redirects', text: '/ /china 302 Country=ch,tw', line: 1, what: /has the condition "Country=ch,tw"; where visitors are is not known here/ },
  { file: '_redirects', text: '/ /de 302 language=de', line: 1, what: /has the condition "language=de"; rules do not look at the language/ },
  { file: '_redirects', text: '/admin/* / 302 Role=admin', line: 1, what: /has the condition "Role=admin"; the visitors of a site have no roles/ },
  { file: '_redirects', text: '/* /preview/:splat 302 Cookie=preview', line: 1, what: /has the condition "Cookie=preview"; rules do not look at cookies/ },
  { file: '_redirects', text: '/api/* / 302 Sign=SECRET', line: 1, what: /requests are not sent on/ },
  { file: '_redirects', text: 'http://blog.example.com/* https://example.com/blog/:splat 301!', line: 1, what: /is for one host; a folder is served under every name/ },
  { file: '_redirects', text: '/heartbeat /x', line: 1, what: /is for \/heartbeat, which the server answers itself/ },
  { file: '_redirects', text: '/usher.js /x', line: 1, what: /is for \/usher\.js/ },

  // Outside of the folder, and what is not in it.
  { file: '_redirects', text: '/../a /b', line: 1, what: OUTSIDE },
  { file: '_redirects', text: '/a/%2E%2e/b /b', line: 1, what: OUTSIDE },
  { file: '_redirects', text: '/a /../etc/passwd 200', line: 1, what: OUTSIDE },
  { file: '_redirects', text: '/a/* /b/../:splat', line: 1, what: OUTSIDE },
  { file: '_redirects', text: '/a /./b', line: 1, what: OUTSIDE },
  { file: '_redirects', text: '/* /app.html 200', line: 1, what: /shows \/app\.html, which is not in the folder/ },
  { file: '_redirects', text: '/x /gone 404', line: 1, what: /shows \/gone, which is not in the folder/ },
  { file: '_redirects', text: '/x /_headers 200', line: 1, what: /shows \/_headers, which is not in the folder/ },

  // Loops.
  { file: '_redirects', text: '/a /a', line: 1, what: LOOP },
  { file: '_redirects', text: '/a /b\n/b /a', line: 1, what: /goes round in circles by way of line 2, for example from \/a/ },
  { file: '_redirects', text: '/x /a\n/a /b\n/b /c\n/c /a 307', line: 1, what: LOOP },
  { file: '_redirects', text: '/blog/* /blog/:splat 301', line: 1, what: LOOP },
  { file: '_redirects', text: '/* /in/:splat', line: 1, what: LOOP },
  { file: '_redirects', text: '/a/* /a', line: 1, what: LOOP },
  { file: '_redirects', text: '/* /closed.html 302', line: 1, what: LOOP },
  { file: '_redirects', text: '/* /index.html 302!', line: 1, what: LOOP },
  { file: '_redirects', text: '/:lang/about /en/about', line: 1, what: LOOP },
  { file: '_redirects', text: '/one/:x /two/:x\n/two/:y /one/:y', line: 1, what: LOOP },
  { file: '_redirects', text: '/a id=:id /a', line: 1, what: LOOP },
  { file: '_redirects', text: '/sub/ /sub 302!', line: 1, what: LOOP },

  // Limits and characters.
  { file: '_redirects', text: `/${'a'.repeat(1000)} /b`, line: 1, what: /has 1004 characters; 1000 are allowed/ },
  { file: '_redirects', text: Array.from({ length: 101 }, (_, at) => `/${at}/* /b`).join('\n'), line: 101, what: /is rule 101 of 101 with placeholder or \*; 100 are allowed/ },
  { file: '_redirects', text: Array.from({ length: 10_001 }, (_, at) => `/${at} /b`).join('\n'), line: 10_001, what: /is rule 10001 of 10001 without placeholder or \*; 10000 are allowed/ },
  { file: '_redirects', text: '/a /b\u0000', line: 1, what: /has a control character: "\\u0000"/ },
  { file: '_redirects', text: '/a /b\r/c /d', line: 1, what: /has a control character: "\\r"/ },
  { file: '_redirects', text: '/\ufffd /b', line: 1, what: /is not UTF-8/ },

  // Headers that mean nothing.
  { file: '_headers', text: 'X-A: b', line: 1, what: /stands before the first path/ },
  { file: '_headers', text: '/a', line: 1, what: /has no headers below it/ },
  { file: '_headers', text: '/a\n/b\n  X-A: b', line: 1, what: /has no headers below it/ },
  { file: '_headers', text: '/a\n  X-A', line: 2, what: /is neither a path, which begins with \/, nor name: value/ },
  { file: '_headers', text: '/a\n  X-A:', line: 2, what: /gives X-A no value/ },
  { file: '_headers', text: '/a\n  : b', line: 2, what: /has "" where the name of a header is expected/ },
  { file: '_headers', text: '/a\n  X A: b', line: 2, what: /has "X A" where the name of a header is expected/ },
  { file: '_headers', text: '/a\n  X-A: b\n  !', line: 3, what: /has "" where the name/ },
  { file: '_headers', text: '/a\n  X-A: é', line: 2, what: /other than ASCII characters: "é"/ },
  { file: '_headers', text: '/a\n  X-A: a\rSet-Cookie: b', line: 2, what: /has a control character: "\\r"/ },
  { file: '_headers', text: '/*/a/*\n  X-A: b', line: 1, what: /has more than one \*/ },
  { file: '_headers', text: '/a b\n  X-A: b', line: 1, what: /has white space in its path/ },
  { file: '_headers', text: '/a/../b\n  X-A: b', line: 1, what: OUTSIDE },
  { file: '_headers', text: 'https://:project.pages.dev/*\n  X-Robots-Tag: noindex', line: 1, what: /is for one host; a folder is served under every name/ },

  // Headers that would break something.
  ...['Content-Length', 'transfer-encoding', 'Connection', 'Keep-Alive', 'Upgrade', 'Trailer', 'DATE', 'Content-Encoding', 'Content-Range', 'Accept-Ranges', 'TE', 'Age', 'Proxy-Connection']
    .map(name => ({ file: '_headers', text: `/a\n  ${name}: x`, line: 2, what: FRAMING } as const)),
  { file: '_headers', text: '/a\n  ! Content-Length', line: 2, what: FRAMING },
  { file: '_headers', text: '/a\n  ETag: "x"', line: 2, what: /names ETag, which tells one state of a file from another/ },
  { file: '_headers', text: '/a\n  Last-Modified: x', line: 2, what: /tells one state/ },
  { file: '_headers', text: '/a\n  set-cookie: a=b', line: 2, what: /names set-cookie, which sets cookies/ },
  { file: '_headers', text: '/a\n  Clear-Site-Data: "cache", "cookies"', line: 2, what: /has browsers forget cookies/ },
  { file: '_headers', text: '/a\n  Clear-Site-Data: "*"', line: 2, what: /has browsers forget cookies/ },
  { file: '_headers', text: '/a\n  X-Active-Users: 7', line: 2, what: /is what the server says of its visitors/ },
  { file: '_headers', text: '/a\n  X-Heartbeat-Interval: 7', line: 2, what: /is what the server says/ },
  { file: '_headers', text: '/a\n  Location: /b', line: 2, what: /leads elsewhere, which is said in _redirects/ },
  { file: '_headers', text: '/a\n  Basic-Auth: user:secret', line: 2, what: /asks for a password, which this server does not know/ },
  { file: '_headers', text: '/a\n  ! Content-Type', line: 2, what: /takes Content-Type away/ },

  // Limits.
  { file: '_headers', text: `/a\n  X-A: ${'b'.repeat(2000)}`, line: 2, what: /has 2007 characters; 2000 are allowed/ },
  { file: '_headers', text: Array.from({ length: 101 }, (_, at) => `/${at}\n  X-A: b`).join('\n'), line: 201, what: /is path 101 of 101; 100 are allowed/ },
  { file: '_headers', text: `/a\n${'  X-A: b\n'.repeat(51)}`, line: 1, what: /has 51 lines below it; 50 are allowed/ }
]
