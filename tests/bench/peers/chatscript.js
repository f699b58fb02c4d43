'use strict';
// The small scripted "contact centre" behind fast_server.js: requestChat -> an agent joins, sendMessage -> the agent repeats it.
// reply(data) delivers `data` to the asking session on the channel the request came from. Only the agent's events are pushed.
const DELAY = Number(process.env.ECHO_DELAY_MS || 0);
const later = DELAY > 0 ? (f) => setTimeout(f, DELAY) : (f) => setImmediate(f);
const agent = { type: 'Agent', nickname: 'Alice', participantId: 2 };
const chats = new Map(); // by chatId and by secureKey
let count = 0;
exports.CHANNEL = '/service/chatV2/demo';
exports.handle = function (data, reply) {
  if (!data || typeof data !== 'object') return;
  if (data.operation === 'requestChat') {
    const n = ++count;
    const chat = { chatId: 'c' + n, secureKey: 'k' + n, userId: 'u' + n, next: 1 };
    chats.set(chat.chatId, chat);
    chats.set(chat.secureKey, chat);
    later(() => push(chat, reply, { type: 'ParticipantJoined' }));
    return;
  }
  const chat = chats.get(data.secureKey) || chats.get(data.chatId);
  if (!chat) return;
  if (data.operation === 'sendMessage')
    later(() => push(chat, reply, { type: 'Message', text: data.message, messageType: 'text' }));
  else if (data.operation === 'disconnect') {
    chats.delete(chat.chatId);
    chats.delete(chat.secureKey);
    later(() => reply({ ...head(chat), chatEnded: true, messages: [] }));
  }
};
function head(chat) {
  return {
    statusCode: 0,
    chatEnded: false,
    chatId: chat.chatId,
    userId: chat.userId,
    secureKey: chat.secureKey,
    alias: '117',
    nextPosition: chat.next,
  };
}
function push(chat, reply, event) {
  const message = { ...event, index: chat.next++, utcTime: Date.now(), from: agent };
  reply({ ...head(chat), messages: [message] });
}
