import { buildConsole, CONSOLE_FOLDER } from "./build/build-console.ts";

/** `npm run console`: builds the console, which a running stack then serves. `npm start` and `npm run package` do it too. */
await buildConsole(process.cwd());
console.log(`The console is in ${CONSOLE_FOLDER}/.`);
