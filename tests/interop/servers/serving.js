'use strict';

// What both Node servers share around their Bayeux library: a port of the system's choice, the
// side door for tests, and a stop on SIGTERM.

const http = require('node:http');

const milliseconds = (name, standard) => Number(process.env[name] || standard);

exports.POLL_TIMEOUT_MS = milliseconds('POLL_TIMEOUT_MS', 30000);
exports.MAX_INTERVAL_MS = milliseconds('MAX_INTERVAL_MS', 10000);
exports.EXTENSIONS = (process.env.EXTENSIONS || '').split(' ');
exports.PATH = '/cometd';
exports.CHANNEL = /^\/service\/chatV2\/([^/]+)$/;

/**
 * Serves until SIGTERM; prints `ready URL` when it can be reached.
 * @param {ChatCentre} centre
 * @param {{attach: function(http.Server), sessions: function(): number, forget: function()}} bayeux
 */
exports.serve = function serve(centre, bayeux) {
  const server = http.createServer((request, response) =>
    sideDoor(request, response, centre, bayeux),
  );
  bayeux.attach(server);
  server.listen(Number(process.env.PORT || 0), '127.0.0.1', () => {
    console.log(`ready http://127.0.0.1:${server.address().port}${exports.PATH}`);
  });
  process.on('SIGTERM', () => process.exit(0));
};

function sideDoor(request, response, centre, bayeux) {
  const { pathname, searchParams } = new URL(request.url, 'http://127.0.0.1');
  if (request.method === 'GET' && pathname === '/status') {
    answer(response, 200, { ...centre.status(), sessions: bayeux.sessions() });
  } else if (
    request.method === 'POST' &&
    pathname === '/forget' &&
    searchParams.get('all') === '1'
  ) {
    const forgotten = bayeux.sessions();
    centre.loseCustomers();
    if (searchParams.has('say')) centre.say(searchParams.get('say'));
    bayeux.forget();
    answer(response, 200, { forgotten });
  } else if (request.method === 'POST' && pathname === '/say') {
    answer(response, 200, { heard: centre.say(searchParams.get('text')) });
  } else {
    const error = 'GET /status, POST /forget?all=1[&say=TEXT] or POST /say?text=TEXT';
    answer(response, 404, { error });
  }
}

function answer(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}
