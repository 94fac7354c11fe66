#!/usr/bin/env node
/** The command of an installation: `usher` is the program, `usher account` its accounts. */
const isAccount = process.argv[2] === 'account'
if (isAccount) process.argv.splice(2, 1)
await import(isAccount ? '../dist/account.js' : '../dist/coordinator.js')
