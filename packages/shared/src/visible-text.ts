/**
 * Characters that nobody sees, and that change how the text around them is read: names that look
 * alike, sentences that are shown in another order. Pure; runs in browsers, too.
 */

/**
 * DEL and the C1 set, format characters (those of bidirectional text among them), separators of
 * lines, and what has neither a shape nor a width. Not the C0 set: line feeds end lines. Made when
 * it is needed: to look up these properties takes a millisecond of a start.
 */
let unseen: RegExp | undefined
const HEX_DIGITS = 4
const BASIC_MAX = 0xffff

/** With each of them as `\u202e`, or `\u{e0041}`. @param backslash two of them inside of JSON */
export function visibleText (text: string, backslash = '\\'): string {
  unseen ??= /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu
  return text.replace(unseen, character => {
    const code = character.codePointAt(0)!
    const hex = code.toString(16).padStart(HEX_DIGITS, '0')
    return `${backslash}u${code > BASIC_MAX ? `{${hex}}` : hex}`
  })
}
