'use strict';

// The contact centre behind both Node servers: GMS Chat API v2 as a customer sees it over CometD.
// It knows nothing of Bayeux. A server hands it what a customer published together with a `push`
// function that reaches this customer; which customer a push belongs to stays the server's business.

const BAD_SECURE_KEY = 8210; // the one Chat Server code that is public for this case
const UNLISTED = 0; // the public pages do not list a number for the other refusals

// The agent is another person: what Ada does is pushed later, into a held connect, and not with
// the answer to the customer's own publish.
const AGENT_DELAY_MS = Number(process.env.AGENT_DELAY_MS || 10);

const SILENT = () => {};
const AGENT = { nickname: 'Ada', participantId: 2, type: 'Agent' };

class Chat {
  constructor(number, service, request, push) {
    this.service = service;
    this.push = push;
    this.open = true;
    this.userData = { ...request.userData };
    this.customer = { nickname: nicknameIn(request), participantId: 1, type: 'Client' };
    this.transcript = [];
    this.ids = {
      chatId: `chat-${number}`,
      userId: `user-${number}`,
      secureKey: `key-${number}-${Math.random().toString(36).slice(2)}`,
      alias: '204',
    };
  }

  /** Adds an event to the transcript and pushes it. */
  happen(type, from, details = {}) {
    const event = {
      index: this.transcript.length + 1,
      type,
      from: { ...from },
      utcTime: Date.now(),
      ...details,
    };
    this.transcript.push(event);
    this.pushEvents([event]);
  }

  /** The agent says a line. */
  say(text) {
    this.happen('Message', AGENT, { text, messageType: 'text' });
  }

  /** Lets the agent act after a moment, if the chat is still open then. */
  agentWill(act) {
    setTimeout(() => this.open && act(), AGENT_DELAY_MS);
  }

  pushEvents(events) {
    this.push({
      statusCode: 0,
      ...this.ids,
      chatEnded: !this.open,
      nextPosition: this.transcript.length + 1,
      messages: events,
    });
  }

  /** Binds the pushes to another Bayeux session and replays what it may have missed. */
  bind(push, position = 0) {
    this.push = push;
    this.pushEvents(this.transcript.filter((event) => event.index >= position));
  }

  /** Stops pushing, as after the loss of the Bayeux session; the chat itself goes on. */
  unbind() {
    this.push = SILENT;
  }

  status() {
    const { open, service, userData, transcript } = this;
    return { chatId: this.ids.chatId, open, service, userData, transcript };
  }
}

function nicknameIn({ nickname, firstName, lastName }) {
  return nickname || [firstName, lastName].filter(Boolean).join(' ');
}

const OPERATIONS = {
  sendMessage(chat, data) {
    chat.happen('Message', chat.customer, {
      text: data.message,
      messageType: data.messageType || 'text',
    });
    chat.agentWill(() => {
      if (data.message === 'bye') {
        chat.happen('ParticipantLeft', AGENT);
        chat.open = false;
        chat.pushEvents([]);
      } else {
        chat.say(`You said: ${data.message}`);
      }
    });
  },
  startTyping: (chat, data) =>
    chat.happen('TypingStarted', chat.customer, { text: data.message || '' }),
  stopTyping: (chat, data) =>
    chat.happen('TypingStopped', chat.customer, { text: data.message || '' }),
  customNotice: (chat, data) => chat.happen('CustomNotice', chat.customer, { text: data.message }),
  pushUrl: (chat, data) => chat.happen('PushUrl', chat.customer, { text: data.pushUrl }),
  updateNickname(chat, data) {
    chat.customer.nickname = data.nickname;
    chat.happen('NicknameUpdated', chat.customer);
  },
  updateData(chat, data) {
    Object.assign(chat.userData, data.userData);
    chat.pushEvents([]);
  },
  readReceipt: (chat) => chat.pushEvents([]),
  requestNotifications: (chat, data, push) => chat.bind(push, data.transcriptPosition),
  disconnect(chat) {
    chat.open = false;
    chat.happen('ParticipantLeft', chat.customer);
  },
};

class ChatCentre {
  constructor() {
    this.chats = new Map(); // by secureKey
  }

  /** Carries out one published operation; `push(data)` must reach the customer who published it. */
  handle(service, data, push) {
    const { operation, secureKey } = data || {};
    if (operation === 'requestChat') {
      this.requestChat(service, data, push);
      return;
    }
    const chat = this.chats.get(secureKey);
    if (!chat || !chat.open) {
      refuse(push, BAD_SECURE_KEY, 'no open chat has this secureKey');
    } else if (!Object.hasOwn(OPERATIONS, operation)) {
      refuse(push, UNLISTED, `unknown operation ${operation}`, { ...chat.ids, chatEnded: false });
    } else {
      OPERATIONS[operation](chat, data, push);
    }
  }

  requestChat(service, data, push) {
    if (!nicknameIn(data)) {
      refuse(push, UNLISTED, 'nickname, or firstName and lastName, is required');
      return;
    }
    const chat = new Chat(this.chats.size + 1, service, data, push);
    this.chats.set(chat.ids.secureKey, chat);
    chat.happen('ParticipantJoined', chat.customer);
    const surveyUrl = `https://survey.example.com/${chat.ids.chatId}`;
    chat.agentWill(() => {
      chat.happen('ParticipantJoined', AGENT, { userData: { SurveyURL: surveyUrl } });
      chat.say('Hello, how can I help?');
    });
  }

  /** The agent says a line in every open chat; gives their number. */
  say(line) {
    const open = [...this.chats.values()].filter((chat) => chat.open);
    open.forEach((chat) => chat.say(line));
    return open.length;
  }

  /** Forgets where the customers are: what is said from now on, nobody can hear. */
  loseCustomers() {
    this.chats.forEach((chat) => chat.unbind());
  }

  status() {
    const chats = [...this.chats.values()];
    return {
      open: chats.filter((chat) => chat.open).length,
      total: chats.length,
      chats: chats.map((chat) => chat.status()),
    };
  }
}

function refuse(push, code, message, head = { chatEnded: true }) {
  push({ statusCode: 2, ...head, errors: [{ code, message, advice: 'start a new chat' }] });
}

module.exports = { ChatCentre };
