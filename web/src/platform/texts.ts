// What the platform's page says, in English and in Brazilian Portuguese.

const en = {
  jobs: "Training jobs", tuning: "Tuning jobs", transforms: "Transform jobs", models: "Models", endpoints: "Endpoints",
  none: "None yet.", log: "Log", metrics: "Metrics", hyperparameters: "Hyperparameters", artifact: "Artifact",
  stop: "Stop", remove: "Delete", sure: "Delete {name}?", surestop: "Stop {name}?", tryIt: "Try it", send: "Send",
  hint: "Words or texts, one a line", back: "All jobs", waiting: "Nothing logged yet.",
  keyNeeded: "This platform wants its key: “brasa platform env” prints both parts.",
  keyId: "AWS_ACCESS_KEY_ID", secret: "AWS_SECRET_ACCESS_KEY", enter: "Enter", wrongKey: "The platform does not take this key.",
  unreachable: "The platform does not answer. Is it still running?",
  insecure: "A browser signs requests only for pages of this machine (127.0.0.1) or over HTTPS.",
  started: "started", took: "{s} s", theme: "Light or dark", language: "Language",
};
export type Key = keyof typeof en;

const pt: Record<Key, string> = {
  jobs: "Treinos", tuning: "Ajustes", transforms: "Transformações", models: "Modelos", endpoints: "Endpoints",
  none: "Nada ainda.", log: "Registro", metrics: "Métricas", hyperparameters: "Hiperparâmetros", artifact: "Artefato",
  stop: "Parar", remove: "Apagar", sure: "Apagar {name}?", surestop: "Parar {name}?", tryIt: "Experimente", send: "Enviar",
  hint: "Palavras ou textos, um por linha", back: "Todos os treinos", waiting: "Nada registrado ainda.",
  keyNeeded: "Esta plataforma pede a chave: “brasa platform env” mostra as duas partes.",
  keyId: "AWS_ACCESS_KEY_ID", secret: "AWS_SECRET_ACCESS_KEY", enter: "Entrar", wrongKey: "A plataforma não aceita esta chave.",
  unreachable: "A plataforma não responde. Ela ainda está rodando?",
  insecure: "O navegador só assina pedidos de páginas desta máquina (127.0.0.1) ou por HTTPS.",
  started: "início", took: "{s} s", theme: "Claro ou escuro", language: "Idioma",
};

export const texts = { en, pt };
