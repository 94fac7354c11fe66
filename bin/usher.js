#!/usr/bin/env node
/** The command of an installation: `usher` is the program, `usher account` its accounts. */
import { createRequire } from 'node:module'

const isAccount = process.argv[2] === 'account'
if (isAccount) process.argv.splice(2, 1)
createRequire(import.meta.url)(isAccount ? '../dist/account.js' : '../dist/coordinator.js')
