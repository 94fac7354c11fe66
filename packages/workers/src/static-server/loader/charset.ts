/**
 * The charset that a text declares for itself: by its byte order mark, a page by its `meta`, a
 * style sheet by `@charset`. Looks where browsers look (HTML Standard, "prescan a byte stream"; CSS
 * Syntax section 3.2). Pure.
 */

/** HTML Standard: a page declares it within its first 1024 bytes. */
const PRESCANNED_BYTES = 1024

const MARKS: ReadonlyArray<readonly [mark: Buffer, charset: string]> = [
  [Buffer.from([0xef, 0xbb, 0xbf]), 'utf-8'],
  [Buffer.from([0xfe, 0xff]), 'utf-16be'],
  [Buffer.from([0xff, 0xfe]), 'utf-16le']
]

/** Encoding Standard: further names of UTF-8. */
const UTF8_LABELS = [
  'unicode-1-1-utf-8', 'unicode11utf8', 'unicode20utf8', 'utf8', 'x-unicode20utf8'
]

const COMMENT = /<!--[^]*?(?:-->|$)/g
const META = /<meta[\s/](?:[^>"']|"[^"]*"|'[^']*')*>/gi
const ATTRIBUTE = /([^\s/=>"']+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))/g
const CHARSET_OF_CONTENT = /charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;"']+))/i
const CHARSET_OF_STYLE = /^@charset "([^"]*)";/

/** In lower case, UTF-8 under that name only; undefined when the text does not say. */
export function declaredCharset (type: string, body: Buffer): string | undefined {
  const marked = MARKS.find(([mark]) => body.subarray(0, mark.length).equals(mark))
  if (marked !== undefined) return marked[1]
  const head = body.toString('latin1', 0, PRESCANNED_BYTES)
  const declared = declaredIn(type, head)?.trim().toLowerCase()
  if (declared === undefined || declared === '') return undefined
  return UTF8_LABELS.includes(declared) ? 'utf-8' : declared
}

function declaredIn (type: string, head: string): string | undefined {
  if (type === 'text/css') return CHARSET_OF_STYLE.exec(head)?.[1]
  if (type !== 'text/html') return undefined
  for (const [meta] of head.replace(COMMENT, '').matchAll(META)) {
    const charset = charsetOfMeta(meta)
    if (charset !== undefined) return charset
  }
  return undefined
}

function charsetOfMeta (meta: string): string | undefined {
  const attributes = new Map<string, string>()
  for (const [, name, doubly, singly, bare] of meta.slice('<meta'.length).matchAll(ATTRIBUTE)) {
    const key = name!.toLowerCase()
    // As in browsers, the first of two equal names counts.
    if (!attributes.has(key)) attributes.set(key, doubly ?? singly ?? bare ?? '')
  }
  const charset = attributes.get('charset')
  if (charset !== undefined) return charset
  if (attributes.get('http-equiv')?.toLowerCase() !== 'content-type') return undefined
  const [, doubly, singly, bare] = CHARSET_OF_CONTENT.exec(attributes.get('content') ?? '') ?? []
  return doubly ?? singly ?? bare
}
