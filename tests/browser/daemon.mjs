// SPDX-License-Identifier: Apache-2.0
// Runs the daemon on a port of its own. Tests can end it and start it again.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createServer} from 'node:net';

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export class Daemon {
  static async start(program, options) {
    const daemon = new Daemon();
    daemon.port = await freePort();
    daemon.url = `http://127.0.0.1:${daemon.port}/`;
    daemon.command = [program, ['--interval', '500ms', '--web.listen-address',
      `127.0.0.1:${daemon.port}`, ...options]];
    await daemon.begin();
    return daemon;
  }

  async begin() {
    this.process = spawn(...this.command, {stdio: 'ignore'});
    const end = Date.now() + 10000;
    while (!await fetch(`${this.url}-/ready`).then((r) => r.ok, () => false)) {
      if (this.process.exitCode !== null || Date.now() > end) throw new Error('the daemon did not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async end() {
    if (this.process.exitCode !== null) return;
    this.process.kill();
    await once(this.process, 'exit');
  }

  get = async (path) => (await fetch(this.url + path)).json();
}
