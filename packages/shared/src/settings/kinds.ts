/**
 * The kinds of values that settings have: each says in words what it allows, parses the text that
 * was given and writes a value back as text. Looks at nothing but the text: no network, no file
 * that is set, no other setting (see `consistency.ts`). Starts nothing.
 */
import { domainToASCII } from 'node:url'
import ipaddr from 'ipaddr.js'
import { PASSWORD_LENGTH_MIN, passwordProblem } from '../password-policy.ts'
import { quote } from '../quote.ts'

/** Either a value, or why there is none: empty when `allowed` already says it all. */
export type Parsed<T> =
  | { readonly value: T, readonly refusal?: undefined }
  | { readonly refusal: string }

export interface Kind<T> {
  /** Completes the sentence "allowed: ...". */
  readonly allowed: string
  parse (text: string): Parsed<T>
  format (value: T): string
}

/** Given in seconds, kept in milliseconds, and said so in the name of the value (`Settings`). */
export interface Duration extends Kind<number> {
  readonly keySuffix: 'Ms'
}

/** Given in bytes or a multiple of them, kept in bytes, and said so in the name of the value. */
export interface Size extends Kind<number> {
  readonly keySuffix: 'Bytes'
}

const MS_PER_SECOND = 1000
/** IEC 80000-13: the largest first. */
const SIZE_UNITS = [['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10]] as const
const SIZE = /^(\d{1,15})([KMG]iB)?$/
/** RFC 1035 section 2.3.4. */
const HOST_NAME_LENGTH_MAX = 253
/** RFC 1123 section 2.1, and the underscore that container networks use. */
const HOST_NAME = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/i
/** A name that ends like this is read as an IPv4 address wherever URLs are parsed. */
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i
const PARAMETER_NAME = /^[\w-]{1,64}$/
/** Of `/heartbeat` and `/leave`. */
const TAKEN_PARAMETERS = new Set(['client_id', 'page', 'server', 'servers', 'ticket'])
/** RFC 3986 without the comma, which separates entries. */
const BASE_URL = /^https?:\/\/[\w.~:[\]!$&'()*+;=%-]+(?:\/[\w.~:!$&'()*+;=%@/-]*)?$/i

/** A plain decimal number: no sign, no exponent, no blanks. */
export function decimal (min: number, max: number, unit: string): Kind<number> {
  return numeric(/^\d+(?:\.\d+)?$/, min, max, `${min} to ${max} ${unit}`)
}

export function wholeNumber (min: number, max: number, unit: string): Kind<number> {
  return numeric(/^\d+$/, min, max, `a whole number, ${min} to ${max} ${unit}`)
}

/** Kept in whole milliseconds. */
export function seconds (min: number, max: number): Duration {
  const inSeconds = decimal(min, max, 'seconds')
  return {
    keySuffix: 'Ms',
    allowed: inSeconds.allowed,
    parse (text) {
      const parsed = inSeconds.parse(text)
      if (parsed.refusal !== undefined) return parsed
      return { value: Math.round(parsed.value * MS_PER_SECOND) }
    },
    format: ms => String(ms / MS_PER_SECOND)
  }
}

/** Written with the largest unit that gives a whole number. */
export function bytes (min: number, max: number): Size {
  const format = (value: number): string => {
    const unit = SIZE_UNITS.find(([, unitBytes]) => value > 0 && value % unitBytes === 0)
    return unit === undefined ? String(value) : `${value / unit[1]}${unit[0]}`
  }
  return {
    keySuffix: 'Bytes',
    allowed: `a whole number of bytes, KiB, MiB or GiB such as 512KiB, ${format(min)} to ${format(max)}`,
    parse (text) {
      const [, count, name] = SIZE.exec(text) ?? []
      const unitBytes = SIZE_UNITS.find(([unit]) => unit === name)?.[1] ?? 1
      const value = count === undefined ? NaN : Number(count) * unitBytes
      return value >= min && value <= max ? { value } : refused()
    },
    format
  }
}

/** A TCP port; 0 leaves the choice to the kernel. */
export function port (): Kind<number> {
  return numeric(/^\d+$/, 0, 65535, 'a whole number, 0 to 65535')
}

/** As `port`; empty text is undefined: no port. */
export function portOrNone (): Kind<number | undefined> {
  const number = port()
  return {
    allowed: `${number.allowed}, or empty for none`,
    parse: text => text === '' ? { value: undefined } : number.parse(text),
    format: value => value === undefined ? '' : number.format(value)
  }
}

export function oneOf<W extends string> (...words: readonly W[]): Kind<W> {
  return {
    allowed: `one of ${words.join(', ')}`,
    parse (text) {
      const value = words.find(word => word === text)
      return value === undefined ? refused() : { value }
    },
    format: value => value
  }
}

/** An address to bind: IPv4, IPv6 (with a zone if need be), or a name that may resolve to one. */
export function bindHost (): Kind<string> {
  return plain('an IP address (IPv6 without brackets) or a host name', text =>
    isAddress(text) || isHostName(text) ? { value: text } : refused())
}

/** An IP address that may stand in a URL, therefore without a zone. */
export function urlAddress (): Kind<string> {
  return plain('an IP address (without brackets, zone or port)', text =>
    isAddress(text) && !text.includes('%') ? { value: text } : refused())
}

/** A name as browsers send it in `Host`: lower-case, international ones in their ASCII form. */
export function publicHost (): Kind<string> {
  return plain('a host name without scheme, port or path', text => {
    const lower = text.toLowerCase().replace(/(?<=.)\.$/, '') // `example.org.` is `example.org`
    const name = isVisibleAscii(lower) ? lower : domainToASCII(lower)
    return isHostName(name) || isAddress(name) ? { value: name } : refused()
  })
}

/** A domain that names beneath it share: no top-level one, which browsers take no cookie for. */
export function domain (): Kind<string> {
  return plain('a domain such as example.org', text => {
    const lower = text.toLowerCase().replace(/^\./, '')
    const name = isVisibleAscii(lower) ? lower : domainToASCII(lower)
    return isHostName(name) && name.includes('.') ? { value: name } : refused()
  })
}

/** Of a parameter in a query, where it stands as it is; none that visitors' own paths know. */
export function parameterName (): Kind<string> {
  return plain('1 to 64 letters, digits, _ and -, and none of client_id, page, server, ticket', text =>
    PARAMETER_NAME.test(text) && !TAKEN_PARAMETERS.has(text) ? { value: text } : refused())
}

/** The start of a `Location`; kept as it stands but for slashes at its end. */
export function baseUrl (): Kind<string> {
  const allowed = 'an http or https URL without user name, query or fragment'
  return plain(allowed, text => {
    const isUrl = BASE_URL.test(text) && URL.canParse(text)
    return isUrl ? { value: text.replace(/\/+$/, '') } : refused()
  })
}

/** An IP address, or a range of them as ADDRESS/BITS. */
export function addressOrRange (): Kind<string> {
  return plain('an IP address or a range such as 10.0.0.0/8', text => {
    const [address = '', bits, ...rest] = text.split('/')
    if (!isAddress(address) || address.includes('%') || rest.length > 0) return refused()
    if (bits === undefined) return { value: text }
    const bitsMax = ipaddr.parse(address).kind() === 'ipv4' ? 32 : 128
    const isRange = /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= bitsMax
    return isRange ? { value: text } : refused(`a range has 1 to ${bitsMax} bits`)
  })
}

/** The path of a folder. */
export function folderPath (): Kind<string> {
  return plain('the path of a folder', text => isPath(text) ? { value: text } : refused())
}

/** The path of a file, therefore without a slash at its end. */
export function filePath (): Kind<string> {
  return plain('the path of a file', text =>
    isPath(text) && !text.endsWith('/') ? { value: text } : refused())
}

/** As `filePath`; `-` is undefined: no file. */
export function filePathOrNone (): Kind<string | undefined> {
  const path = filePath()
  return {
    allowed: `${path.allowed}, or - for none`,
    parse: text => text === '-' ? { value: undefined } : path.parse(text),
    format: value => value ?? '-'
  }
}

/** A secret of visible ASCII characters, so that it can stand in a header. */
export function token (lengthMin: number): Kind<string> {
  return plain(`at least ${lengthMin} visible ASCII characters without blanks`, text =>
    text.length >= lengthMin && isVisibleAscii(text) ? { value: text } : refused())
}

/** A password that an account may have; what is wrong with one does not show it. */
export function password (account: string): Kind<string> {
  const allowed = `at least ${PASSWORD_LENGTH_MIN} characters, none of the passwords that are tried first`
  return plain(allowed, text => {
    const problem = passwordProblem(text, account)
    if (problem === undefined) return { value: text }
    return refused(problem.replace(/^The password/, 'it').replace(/\.$/, ''))
  })
}

/** As `kind`, and empty text for none. */
export function optional (kind: Kind<string>): Kind<string> {
  return {
    allowed: `${kind.allowed}, or empty`,
    parse: text => text === '' ? { value: '' } : kind.parse(text),
    format: value => value === '' ? '' : kind.format(value)
  }
}

/** Entries separated by commas; blanks around a comma do not count. */
export function list<T> (
  entry: Kind<T>, countMin: number, countMax: number
): Kind<readonly T[]> {
  const counted = countMin === 0 ? `empty, or up to ${countMax}` : `${countMin} to ${countMax}`
  return {
    allowed: `${counted}, comma separated, each ${entry.allowed}`,
    parse (text) {
      if (text === '' && countMin === 0) return { value: [] }
      const texts = text.split(/[ \t]*,[ \t]*/)
      if (texts.length > countMax) return refused(`these are ${texts.length}`)
      return collect(texts, entry)
    },
    format: values => values.map(value => entry.format(value)).join(',')
  }
}

function collect<T> (texts: readonly string[], entry: Kind<T>): Parsed<readonly T[]> {
  const values: T[] = []
  for (const text of texts) {
    const parsed = entry.parse(text)
    if (parsed.refusal !== undefined) {
      return refused([`entry ${quote(text)} is wrong`, parsed.refusal]
        .filter(part => part !== '').join(', '))
    }
    values.push(parsed.value)
  }
  return { value: values }
}

export function numeric (form: RegExp, min: number, max: number, allowed: string): Kind<number> {
  return {
    allowed,
    parse (text) {
      const value = form.test(text) ? Number(text) : NaN
      return value >= min && value <= max ? { value } : refused()
    },
    format: String
  }
}

export function plain (allowed: string, parse: (text: string) => Parsed<string>): Kind<string> {
  return { allowed, parse, format: value => value }
}

export function refused (refusal = ''): { readonly refusal: string } {
  return { refusal }
}

/** In full text form: neither `127.1` nor `0x7f000001`. */
function isAddress (text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)
}

function isHostName (text: string): boolean {
  return text.length <= HOST_NAME_LENGTH_MAX && HOST_NAME.test(text) && !ENDS_IN_NUMBER.test(text)
}

/** Not empty, and no control characters: a file system cuts a path at the first NUL. */
function isPath (text: string): boolean {
  return text !== '' && [...text].every(character => character >= ' ')
}

function isVisibleAscii (text: string): boolean {
  return /^[!-~]*$/.test(text)
}
