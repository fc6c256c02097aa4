import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";
import { javascript, type Outside, type SandboxCase } from "../sandbox-case.ts";

/** What stands in the tree of every case: the ways to talk to the proxy. */
const HELPER = `
const net = require("net"), tls = require("tls");
const fail = () => process.exit(1);
exports.raw = (text, then = (answer) => process.exit(/ 200 /.test(answer) ? 0 : 1)) => {
  const socket = net.connect(3128, "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk) => (answer += chunk)).on("error", fail).on("close", () => then(answer));
  socket.write(text);
  return socket;
};
exports.connect = (target, then) => {
  const socket = net.connect(3128, "127.0.0.1");
  socket.on("error", fail).on("close", fail);
  socket.write("CONNECT " + target + " HTTP/1.1\\r\\nHost: " + target + "\\r\\n\\r\\n");
  socket.once("data", (answer) => (/ 200 /.test(String(answer)) ? then(socket) : fail()));
};
exports.get = (target, name, path, then = () => process.exit(0)) =>
  exports.connect(target, (socket) => {
    const secure = tls.connect({ socket, servername: name, rejectUnauthorized: false }, () => {
      secure.write("GET " + path + " HTTP/1.1\\r\\nHost: " + name + "\\r\\nConnection: close\\r\\n\\r\\n");
      let bytes = 0;
      secure.on("data", (chunk) => (bytes += chunk.length)).on("end", () => then(bytes));
    });
    secure.on("error", fail);
  });
`;
const STEAL = 'require("./helper.js").connect("example.com:443", () => process.exit(0))';
const CONNECTIONS_MAX = 8;
const BYTES_MAX = 1_000_000;

function network({ registry }: Outside): Partial<SandboxProfile> {
  const own = `registry.test:${registry.port}`;
  return {
    network: {
      mode: "allow",
      hosts: ["inner.test"],
      npm_registry: false,
      private_hosts: {
        [own]: ["127.0.0.1/32"],
        "metadata.test": ["169.254.0.0/16"],
        "unreachable.test": ["127.0.0.1/32"],
      },
      bytes_max: BYTES_MAX,
      connections_max: CONNECTIONS_MAX,
    },
    environment: {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      npm_config_cafile: "/workspace/registry.crt",
      npm_config_fetch_retries: "0",
      npm_config_audit: "false",
      npm_config_update_notifier: "false",
    },
  };
}

type Target = (outside: Outside) => string;
const registry: Target = (outside) => `registry.test:${outside.registry.port}`;

/** `program` may use the helper as `p` and the registry's host and port as `r`. */
const talk = (program: string) => (outside: Outside) =>
  javascript(`const p=require('./helper.js'),r='${registry(outside)}';${program}`);
const denied = (name: string, program: string): Omit<SandboxCase, "isolation"> => ({
  name,
  command: talk(program),
  code: "SANDBOX_NETWORK_DENIED",
});

const CASES: Omit<SandboxCase, "isolation">[] = [
  {
    name: "the packages of its lock file",
    command: "npm ci && npm test",
    code: "PASSED",
    check: ({ network: use }) => {
      if (!use?.hosts.some(({ host, bytes_received }) => host === "registry.test" && bytes_received > 0))
        throw new Error(`nothing came through the proxy: ${JSON.stringify(use)}`);
    },
  },
  {
    name: "the packages of its lock file, after killing all it can see",
    command: "sleep 60 & kill -9 -1; npm ci",
    code: "PASSED",
  },
  {
    name: "a package that is not what its lock file says",
    command: `sed -i 's/sha512-...../sha512-AAAAA/' package-lock.json; npm ci`,
    code: "COMMAND_FAILED",
  },
  {
    name: "as many connections as allowed",
    command: talk(
      `let n=0;for(let i=0;i<${CONNECTIONS_MAX};i++)p.connect(r,()=>{if(++n===${CONNECTIONS_MAX})process.exit(0)})`,
    ),
    code: "PASSED",
  },
  {
    name: "nearly as many bytes as allowed",
    command: talk(`p.get(r,'registry.test','/bytes/${BYTES_MAX - 10_000}')`),
    code: "PASSED",
  },
  denied("more bytes than allowed", `p.get(r,'registry.test','/bytes/${BYTES_MAX + 1}')`),
  denied(
    "more connections than allowed",
    `let n=0;for(let i=0;i<=${CONNECTIONS_MAX};i++){const s=p.connect(r,()=>{});}`,
  ),
  denied("more refusals than anybody needs", "const f=()=>p.raw('x',f);for(let i=0;i<8;i++)f()"),
  denied("another host", "p.connect('example.com:443',()=>process.exit(0))"),
  denied("another port of the host", "p.connect('registry.test:443',()=>process.exit(0))"),
  denied("the host by its address", "p.connect('127.0.0.1:'+r.split(':')[1],()=>process.exit(0))"),
  denied("the host with a dot at its end", "p.connect(r.replace(':','.:'),()=>process.exit(0))"),
  denied("the host in front of another", "p.connect(r+'@example.com:443',()=>process.exit(0))"),
  denied("the metadata address", "p.connect('169.254.169.254:80',()=>process.exit(0))"),
  denied("a listed host at the metadata address", "p.connect('metadata.test:443',()=>process.exit(0))"),
  denied("a listed host at a private address", "p.connect('inner.test:443',()=>process.exit(0))"),
  denied("another server behind the host", "p.get(r,'example.com','/bytes/1')"),
  denied("a server without a name behind the host", "p.get(r,'','/bytes/1')"),
  denied("the host without TLS", "p.connect(r,s=>s.write('GET / HTTP/1.1\\r\\n\\r\\n'))"),
  denied("a page in plain text", "p.raw('GET http://'+r+'/ HTTP/1.1\\r\\nHost: '+r+'\\r\\n\\r\\n')"),
  denied(
    "a second request in the body of the first",
    "p.raw('CONNECT '+r+' HTTP/1.1\\r\\nContent-Length: 36\\r\\n\\r\\nCONNECT example.com:443 HTTP/1.1\\r\\n\\r\\n',()=>process.exit(1))",
  ),
  denied(
    "two requests in one, parted by a bare line feed",
    "p.raw('CONNECT '+r+' HTTP/1.1\\nTransfer-Encoding: chunked\\nContent-Length: 4\\n\\n0\\r\\n\\r\\n',()=>process.exit(1))",
  ),
  denied("the proxy with a header without end", "p.raw('CONNECT '+r+' HTTP/1.1\\r\\nX: '+'x'.repeat(1e5))"),
  denied(
    "the proxy with headers without number",
    "p.raw('CONNECT '+r+' HTTP/1.1\\r\\n'+'X: y\\r\\n'.repeat(1e5)+'\\r\\n')",
  ),
  {
    name: "another host from a package's script",
    command: "npm pkg set 'scripts.preinstall=node steal.js' && npm ci",
    code: "SANDBOX_NETWORK_DENIED",
  },
  {
    name: "the proxy's own port, to stand in for it",
    command: javascript(
      "require('net').createServer().listen(3128,()=>process.exit(0)).on('error',()=>process.exit(1))",
    ),
    code: "COMMAND_FAILED",
  },
  {
    name: "the host without the proxy",
    command: talk(
      "require('net').connect(Number(r.split(':')[1]),'127.0.0.1',()=>process.exit(0)).on('error',()=>process.exit(1))",
    ),
    code: "COMMAND_FAILED",
  },
  {
    name: "a listed host that does not answer",
    command: talk("p.connect('unreachable.test:443',()=>process.exit(0))"),
    code: "COMMAND_FAILED",
    check: ({ network: use }) => {
      if (use?.unreachable[0]?.host !== "unreachable.test") throw new Error(JSON.stringify(use));
    },
  },
];

/** A filtering proxy lets the listed hosts through, and nothing else by any trick. */
export const PROXIED_NETWORK: SandboxCase[] = CASES.map((each) => ({
  isolation: "full",
  limits: network,
  files: (outside) => ({
    ...outside.registry.project("registry.test"),
    "helper.js": HELPER,
    "steal.js": STEAL,
  }),
  ...each,
}));
