/** How a setting's name, `ROUTING_PORT`, is spelt as a flag and as a key of `Settings`. Pure. */

export type CamelCase<N extends string> = N extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<N>

/** `ROUTING_PORT` as `--routing-port`. */
export function flagOf (name: string): string {
  return `--${name.toLowerCase().replaceAll('_', '-')}`
}

/** As the type has it. */
export function camelCase (name: string): string {
  return name.toLowerCase().replace(/_(.)/g, (_, first: string) => first.toUpperCase())
}
