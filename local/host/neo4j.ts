import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MAVEN_TOOLS, type MavenLibraries, mavenLibraries } from "./maven-libraries.ts";
import { answersAs } from "./neo4j-password.ts";
import type { HostPart, RunningPart, StartPart } from "./part.ts";
import { startServer } from "./start-server.ts";

const VERSION = "5.26.30";
const TITLE = `Neo4j Community ${VERSION}`;

const LIBRARIES: MavenLibraries = {
  name: "neo4j",
  title: TITLE,
  coordinates: [`org.neo4j:neo4j:${VERSION}`, `org.neo4j.app:neo4j-server:${VERSION}`],
  sha256: "b39dcc8742460b796812b2494bde19cb6474ab73862fe3ac9af878e5012afeb8",
};

/** What Neo4j's own launcher gives the virtual machine, and what lets it start soon and stay small. */
const JAVA_OPTIONS = [
  "-Xms128m",
  "-Xmx512m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "--add-modules=jdk.incubator.vector",
  "--add-opens=java.base/java.nio=ALL-UNNAMED",
  "--add-opens=java.base/java.io=ALL-UNNAMED",
  "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
  "-Dio.netty.tryReflectionSetAccessible=true",
  "-Dlog4j2.disable.jmx=true",
  "-Dfile.encoding=UTF-8",
];

function configuration(port: number): string {
  return `server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:${port}
server.bolt.advertised_address=127.0.0.1:${port}
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size=128m
db.tx_log.rotation.retention_policy=128M size
dbms.security.auth_enabled=true
dbms.usage_report.enabled=false
`;
}

/** A Neo4j server from Maven Central: the Community Edition, one database, Bolt on loopback only. */
export const neo4jPart: HostPart = {
  name: "neo4j",
  title: TITLE,
  port_default: 7687,
  tools: MAVEN_TOOLS,

  async install(progress) {
    await mavenLibraries(LIBRARIES, progress);
  },

  async start(options: StartPart): Promise<RunningPart> {
    const { port, data_directory } = options;
    const libraries = await mavenLibraries(LIBRARIES, () => {});
    const home = join(data_directory, "neo4j");
    mkdirSync(join(home, "conf"), { recursive: true });
    writeFileSync(join(home, "conf", "neo4j.conf"), configuration(port));
    const endpoint = `bolt://127.0.0.1:${port}`;
    const password = passwordOf(data_directory);
    const running = await startServer(
      {
        title: TITLE,
        command: "java",
        arguments: [
          ...JAVA_OPTIONS,
          ...["-cp", join(libraries, "*"), "org.neo4j.server.CommunityEntryPoint"],
          ...[`--home-dir=${home}`, `--config-dir=${join(home, "conf")}`],
        ],
        environment: { LANG: "C.UTF-8" },
        isReady: () => answersAs(endpoint, password),
        ready_seconds_max: 240,
        stop_seconds_max: 60,
      },
      options,
    );
    const environment = { NEO4J_URL: endpoint, NEO4J_USER: "neo4j", NEO4J_PASSWORD: password };
    return { ...running, endpoint, environment };
  },
};

/** Made up with the data directory and kept in it, for the server keeps it too. */
function passwordOf(data_directory: string): string {
  const file = join(data_directory, "neo4j-password");
  if (!existsSync(file)) {
    mkdirSync(data_directory, { recursive: true });
    writeFileSync(file, randomBytes(18).toString("base64url"), { mode: 0o600 });
  }
  return readFileSync(file, "utf8").trim();
}
