// What the page says, in English and in Brazilian Portuguese.

const en = {
  words: "Words",
  analogies: "Analogies",
  compare: "Compare",
  map: "Map",
  classify: "Classify",
  search: "Type a word, seen or unseen",
  neighbors: "Nearest words",
  madeOf: "What the vector is made of",
  madeOfHint: "Each part's share of the vector, along its own direction. Faded parts were never trained.",
  wholeWord: "the word itself",
  andMore: "and {n} more",
  unseen: "Never seen in training: its vector is made of its n-grams.",
  seen: "rank {rank}, seen {count} times",
  seenRank: "rank {rank}",
  unknown: "The model does not know “{word}”, and has no subwords to build a vector from.",
  noPart: "None of its n-grams was seen in training: its vector is zero.",
  analogyIs: "is to",
  analogyAs: "as",
  analogyTo: "is to …",
  answers: "Answers",
  compareTwo: "How similar are two words?",
  cosine: "cosine",
  and: "and",
  textHint: "Type a text",
  labels: "Labels",
  why: "What speaks for {label}",
  whyHint: "Words in color push towards the label, or away from it.",
  towards: "towards",
  away: "away from",
  nothing: "The model knows nothing of this text.",
  colorBy: "Color",
  byCluster: "cluster",
  byFrequency: "frequency",
  computing: "Computing {method} …",
  computingHint: "This is done once, and kept.",
  points: "{n} words",
  selected: "{n} words selected",
  exportCsv: "Save CSV",
  clear: "Clear",
  lasso: "Lasso",
  lassoHint: "Draw around words (or hold Shift and drag)",
  reset: "Whole map",
  find: "Show on map",
  noWebgl: "This browser shows no WebGL, which the map needs. Everything else works.",
  mapFailed: "The map could not be made: {error}",
  notOnMap: "“{word}” is not on the map: its nearest words are marked.",
  unreachable: "The server does not answer. Is it still running?",
  retry: "Try again",
  keyNeeded: "This server wants its key.",
  key: "Key",
  enter: "Enter",
  noModels: "The server has no model.",
  model: "Model",
  dims: "{words} words · {dim} dimensions",
  withSubwords: "with subwords",
  theme: "Light or dark",
  language: "Language",
  shortcuts: "Keys",
  shortcutsList: "/ search · 1–4 views · T light or dark · L language · Esc close",
  close: "Close",
  examples: "Try",
  exported: "An exported page: it holds the {n} most frequent words, and needs no server.",
  empty: "Start typing. Nothing leaves this server.",
  emptyExported: "Start typing. Nothing leaves this page.",
};

export type Key = keyof typeof en;

const pt: Record<Key, string> = {
  words: "Palavras",
  analogies: "Analogias",
  compare: "Comparar",
  map: "Mapa",
  classify: "Classificar",
  search: "Digite uma palavra, vista ou não",
  neighbors: "Palavras mais próximas",
  madeOf: "De que o vetor é feito",
  madeOfHint: "A parte de cada n-grama no vetor, na direção dele. Os apagados nunca foram treinados.",
  wholeWord: "a própria palavra",
  andMore: "e mais {n}",
  unseen: "Nunca vista no treino: o vetor vem dos seus n-gramas.",
  seen: "posição {rank}, vista {count} vezes",
  seenRank: "posição {rank}",
  unknown: "O modelo não conhece “{word}” e não tem subpalavras para compor um vetor.",
  noPart: "Nenhum dos seus n-gramas foi visto no treino: o vetor é zero.",
  analogyIs: "está para",
  analogyAs: "assim como",
  analogyTo: "está para …",
  answers: "Respostas",
  compareTwo: "Quão parecidas são duas palavras?",
  cosine: "cosseno",
  and: "e",
  textHint: "Digite um texto",
  labels: "Rótulos",
  why: "O que fala a favor de {label}",
  whyHint: "As palavras coloridas puxam para o rótulo, ou para longe dele.",
  towards: "a favor",
  away: "contra",
  nothing: "O modelo não conhece nada deste texto.",
  colorBy: "Cor",
  byCluster: "grupo",
  byFrequency: "frequência",
  computing: "Calculando {method} …",
  computingHint: "É feito uma vez e guardado.",
  points: "{n} palavras",
  selected: "{n} palavras selecionadas",
  exportCsv: "Salvar CSV",
  clear: "Limpar",
  lasso: "Laço",
  lassoHint: "Desenhe em volta das palavras (ou segure Shift e arraste)",
  reset: "Mapa inteiro",
  find: "Mostrar no mapa",
  noWebgl: "Este navegador não tem WebGL, de que o mapa precisa. O resto funciona.",
  mapFailed: "Não foi possível fazer o mapa: {error}",
  notOnMap: "“{word}” não está no mapa: as palavras mais próximas estão marcadas.",
  unreachable: "O servidor não responde. Ele ainda está rodando?",
  retry: "Tentar de novo",
  keyNeeded: "Este servidor pede a chave.",
  key: "Chave",
  enter: "Entrar",
  noModels: "O servidor não tem nenhum modelo.",
  model: "Modelo",
  dims: "{words} palavras · {dim} dimensões",
  withSubwords: "com subpalavras",
  theme: "Claro ou escuro",
  language: "Idioma",
  shortcuts: "Teclas",
  shortcutsList: "/ busca · 1–4 vistas · T claro ou escuro · L idioma · Esc fecha",
  close: "Fechar",
  examples: "Experimente",
  exported: "Página exportada: tem as {n} palavras mais frequentes e não precisa de servidor.",
  empty: "Comece a digitar. Nada sai deste servidor.",
  emptyExported: "Comece a digitar. Nada sai desta página.",
};

export type Language = "en" | "pt";
const said = { en, pt };

export function preferred(languages: readonly string[]): Language {
  return languages[0]?.toLowerCase().startsWith("pt") ? "pt" : "en";
}

export class Text {
  constructor(readonly language: Language) {}

  say(key: Key, values: Record<string, string | number> = {}): string {
    const number = (value: string | number) =>
      typeof value === "number" ? this.number(value) : value;
    return said[this.language][key].replace(/\{(\w+)\}/g, (_, name: string) =>
      number(values[name] ?? ""),
    );
  }

  number(value: number, digits = 0): string {
    const locale = this.language === "pt" ? "pt-BR" : "en-US";
    return value.toLocaleString(locale, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
  }
}
