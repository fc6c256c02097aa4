import { fileURLToPath } from "node:url";
import { COMPOSE_COMMANDS, COMPOSE_FILE, composeComplaint, runCompose } from "./compose/run-compose.ts";

const [command = "", ...given] = process.argv.slice(2);
const repository = fileURLToPath(new URL("..", import.meta.url));

if (!(command in COMPOSE_COMMANDS) || given.includes("--help")) {
  console.log(`npm run stack:up, stack:down, stack:logs: docker compose with ${COMPOSE_FILE}.
What follows -- goes to docker compose: npm run stack:down -- --volumes forgets all data.`);
  process.exit(given.includes("--help") ? 0 : 1);
}
const complaint = await composeComplaint();
if (complaint !== undefined) {
  console.error(complaint);
  process.exit(1);
}
process.exit(await runCompose(command as keyof typeof COMPOSE_COMMANDS, given, repository));
