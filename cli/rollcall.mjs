#!/usr/bin/env node
// Plain JavaScript, so that an old Node can say what it lacks instead of choking on the first `.ts`.
if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(
    `rollcall: needs Node 24 or newer, this is Node ${process.versions.node}; npm scripts bring their own: npm start`,
  );
  process.exit(1);
}
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2), process.env);
