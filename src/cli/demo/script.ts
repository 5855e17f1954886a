/** What the neighbours of the demo have written: sample messages, in the order in which they were. */

export type Shape = 'canonical' | 'left chain' | 'linked list';

export interface Neighbour {
  readonly name: string;
  /** Of the tree it publishes: readers cope with any (protocol §2). */
  readonly shape: Shape;
}

export interface SampleMessage {
  readonly author: string;
  readonly body: string;
  /** The `key` of an earlier message. */
  readonly answers?: string;
  /** For others to answer it. */
  readonly key?: string;
}

export const neighbours: readonly Neighbour[] = [
  { name: 'Aline', shape: 'canonical' },
  { name: 'Bram', shape: 'left chain' },
  { name: 'Chiara', shape: 'linked list' },
  { name: 'Özge', shape: 'canonical' },
];

/** Enough entries for a tree of two levels. */
const DIARY_ENTRIES = 42;
const PLACES = [
  'près de la mare',
  'sur le toit',
  'dans le vieux pommier',
  'au bord du chemin',
  'derrière la grange',
  'à la fenêtre',
];
const SIGHTINGS = [
  'deux mésanges bleues',
  'un rouge-gorge très bavard',
  'la huppe, enfin !',
  'un écureuil pressé 🐿️',
  'trois moineaux qui se disputent une miette',
  'le héron, immobile comme un poteau',
  'un merle en plein concert 🎶',
];

const diary: readonly SampleMessage[] = Array.from({ length: DIARY_ENTRIES }, (_, day) => ({
  author: 'Aline',
  body: `Jour ${day + 1}. ${pick(PLACES, day)} : ${pick(SIGHTINGS, day)}`,
  ...(day + 1 === DIARY_ENTRIES && { key: 'last sighting' }),
}));

export const messages: readonly SampleMessage[] = [
  ...diary,
  {
    author: 'Bram',
    key: 'bread',
    body: 'Vandaag mijn eerste brood gebakken. Het lijkt op een baksteen, maar het ruikt goed.',
  },
  {
    author: 'Chiara',
    key: 'sourdough',
    answers: 'bread',
    body: 'Coraggio! Il mio primo pane serviva da fermaporta. Più acqua, più pazienza. 🍞',
  },
  { author: 'Bram', answers: 'sourdough', body: 'Meer geduld lukt. Meer water ook. Dank je!' },
  {
    author: 'Chiara',
    key: 'night train',
    body: 'Ho preso il treno di notte: addormentata tra le montagne, sveglia davanti al mare.',
  },
  { author: 'Aline', answers: 'night train', body: 'Quelle chance ! Raconte-nous la lumière du matin.' },
  { author: 'Chiara', body: 'Prima grigia, poi rosa, poi di colpo tutta oro. Non ho scattato foto, ho guardato.' },
  {
    author: 'Bram',
    key: 'question',
    body: 'Question for everyone: what is the smallest thing that made you smile this week?',
  },
  { author: 'Aline', answers: 'question', body: 'Une coccinelle sur mon clavier 🐞. Elle a appuyé sur « Entrée ».' },
  { author: 'Chiara', answers: 'question', body: 'Il vicino di sotto che fischietta, stonato e felice.' },
  {
    author: 'Bram',
    answers: 'last sighting',
    body: 'I read your diary over breakfast every day. Please never stop at 42!',
  },
  {
    author: 'Özge',
    key: 'hello',
    answers: 'question',
    body: 'Komşunun kedisi kucağımda uyuyakaldı 🐈\n(Hello everyone, this is my first message. I think I shall stay.)',
  },
  { author: 'Aline', answers: 'hello', body: 'Bienvenue, Özge ! Et toi, @you, qu’est-ce qui t’a fait sourire ? 👩‍🌾' },
];

function pick(choices: readonly string[], index: number): string {
  return choices[index % choices.length] ?? '';
}
