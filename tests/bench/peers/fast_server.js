'use strict';
// A deliberately small and fast Bayeux test server on bare node `net` (no http module): long-polling + websocket.
// It is NOT an interop check (it accepts only well-formed requests); it exists so that the client under
// measurement, not the server, uses the CPU.  usage: node fast_server.js PORT
const net = require('net');
const crypto = require('crypto');
const script = require('./chatscript');
const POLL = Number(process.env.POLL_TIMEOUT_MS || 30000);
const sessions = new Map();
let seq = 0;
const HDR = 'HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\n';
function http(sock, body, cookie) {
  sock.write(
    HDR + (cookie || '') + 'Content-Length: ' + Buffer.byteLength(body) + '\r\n\r\n' + body,
  );
}
function wsSend(sock, text) {
  const b = Buffer.from(text),
    n = b.length;
  let h;
  if (n < 126) {
    h = Buffer.allocUnsafe(2);
    h[1] = n;
  } else {
    h = Buffer.allocUnsafe(4);
    h[1] = 126;
    h.writeUInt16BE(n, 2);
  }
  h[0] = 0x81;
  sock.write(Buffer.concat([h, b]));
}
function flush(s) {
  if (!s.queue.length) return;
  if (s.ws) {
    const q = s.queue;
    s.queue = [];
    wsSend(s.ws, '[' + q.join(',') + ']');
    return;
  }
  if (s.held) {
    const h = s.held;
    s.held = null;
    clearTimeout(h.timer);
    const q = s.queue;
    s.queue = [];
    q.push(h.reply);
    http(h.sock, '[' + q.join(',') + ']');
  }
}
function one(m, sock, ws) {
  // returns reply string, or null when held
  const ch = m.channel;
  if (ch === '/meta/handshake') {
    const id = 's' + (++seq).toString(36) + 'x' + crypto.randomBytes(8).toString('hex');
    sessions.set(id, { id, queue: [], held: null, ws: ws ? sock : null, conn: 0 });
    return (
      '{"channel":"/meta/handshake","id":"' +
      m.id +
      '","successful":true,"clientId":"' +
      id +
      '","version":"1.0","supportedConnectionTypes":["websocket","long-polling"],"advice":{"reconnect":"retry","interval":0,"timeout":' +
      POLL +
      '}}'
    );
  }
  const s = sessions.get(m.clientId);
  if (!s)
    return (
      '{"channel":' +
      JSON.stringify(ch) +
      ',"id":"' +
      m.id +
      '","successful":false,"error":"402::unknown session","advice":{"reconnect":"handshake"}}'
    );
  if (ch === '/meta/connect') {
    const reply =
      '{"channel":"/meta/connect","id":"' +
      m.id +
      '","successful":true,"advice":{"reconnect":"retry","interval":0,"timeout":' +
      POLL +
      '}}';
    if (ws) {
      s.ws = sock;
    }
    if (s.conn++ === 0) return reply; // first connect answers at once
    if (m.advice && m.advice.timeout === 0) return reply;
    if (!ws && s.queue.length) {
      const q = s.queue;
      s.queue = [];
      q.push(reply);
      return q.join(',');
    }
    const h = { sock, reply };
    h.timer = setTimeout(() => {
      s.held = null;
      if (ws) wsSend(sock, '[' + reply + ']');
      else http(sock, '[' + reply + ']');
    }, POLL);
    if (ws) {
      s.wsheld = h;
    } else s.held = h;
    return null;
  }
  if (ch === '/meta/disconnect') {
    if (s.held) {
      clearTimeout(s.held.timer);
      http(s.held.sock, '[' + s.held.reply + ']');
      s.held = null;
    }
    if (s.wsheld) clearTimeout(s.wsheld.timer);
    sessions.delete(s.id);
    return '{"channel":"/meta/disconnect","id":"' + m.id + '","successful":true}';
  }
  if (ch === script.CHANNEL)
    script.handle(m.data, (d) => {
      s.queue.push(JSON.stringify({ channel: script.CHANNEL, data: d }));
      flush(s);
    });
  return '{"channel":' + JSON.stringify(ch) + ',"id":"' + m.id + '","successful":true}';
}
function many(list, sock, ws) {
  if (!Array.isArray(list)) list = [list];
  const out = [];
  for (const m of list) {
    const r = one(m, sock, ws);
    if (r !== null) out.push(r);
  }
  return out;
}
function onWs(sock, st) {
  for (;;) {
    const b = st.buf;
    if (b.length < 6) return;
    let n = b[1] & 127,
      off = 2;
    if (n === 126) {
      if (b.length < 8) return;
      n = b.readUInt16BE(2);
      off = 4;
    }
    if (b.length < off + 4 + n) return;
    const op = b[0] & 15,
      mk = b.subarray(off, off + 4),
      p = Buffer.from(b.subarray(off + 4, off + 4 + n));
    for (let i = 0; i < n; i++) p[i] ^= mk[i & 3];
    st.buf = b.subarray(off + 4 + n);
    if (op === 8) {
      sock.end(Buffer.from([0x88, 0]));
      return;
    }
    if (op === 9) {
      sock.write(Buffer.concat([Buffer.from([0x8a, n]), p]));
      continue;
    }
    if (op !== 1) continue;
    const out = many(JSON.parse(p.toString()), sock, true);
    if (out.length) wsSend(sock, '[' + out.join(',') + ']');
  }
}
const srv = net.createServer({ noDelay: true }, (sock) => {
  const st = { buf: Buffer.alloc(0), ws: false };
  sock.on('error', () => sock.destroy());
  sock.on('data', (d) => {
    st.buf = st.buf.length ? Buffer.concat([st.buf, d]) : d;
    if (st.ws) return onWs(sock, st);
    for (;;) {
      const i = st.buf.indexOf('\r\n\r\n');
      if (i < 0) return;
      const head = st.buf.latin1Slice(0, i);
      if (head.charCodeAt(0) === 71) {
        // GET: websocket upgrade or a plain probe
        const k = /sec-websocket-key: *([^\r\n]+)/i.exec(head);
        st.buf = st.buf.subarray(i + 4);
        if (!k) {
          http(sock, '{}');
          continue;
        }
        const acc = crypto
          .createHash('sha1')
          .update(k[1].trim() + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
          .digest('base64');
        sock.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ' +
            acc +
            '\r\n\r\n',
        );
        st.ws = true;
        return onWs(sock, st);
      }
      const c = /content-length: *(\d+)/i.exec(head),
        n = c ? +c[1] : 0;
      let body;
      if (!c && /transfer-encoding: *chunked/i.test(head)) {
        // the node client sends chunked bodies
        let p = i + 4;
        body = '';
        for (;;) {
          const e = st.buf.indexOf('\r\n', p);
          if (e < 0) return;
          const k = parseInt(st.buf.latin1Slice(p, e), 16);
          if (st.buf.length < e + 4 + k) return;
          if (k === 0) {
            p = e + 4;
            break;
          }
          body += st.buf.utf8Slice(e + 2, e + 2 + k);
          p = e + 4 + k;
        }
        st.buf = st.buf.subarray(p);
      } else {
        if (st.buf.length < i + 4 + n) return;
        body = st.buf.utf8Slice(i + 4, i + 4 + n);
        st.buf = st.buf.subarray(i + 4 + n);
      }
      const out = many(JSON.parse(body), sock, false);
      if (out.length) http(sock, '[' + out.join(',') + ']');
    }
  });
});
srv.listen({ port: Number(process.argv[2] || 8103), host: '127.0.0.1', backlog: 8192 }, () =>
  console.log('fast on', srv.address().port),
);
process.on('SIGTERM', () => process.exit(0));
process.on('SIGUSR2', () =>
  console.log(JSON.stringify({ cpu: process.cpuUsage(), rss: process.memoryUsage().rss })),
);
