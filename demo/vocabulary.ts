/** What the names, titles and notes of the sample library are made of. */

type Words = readonly [string, ...string[]];

// prettier-ignore
export const FIRST_NAMES: Words = [
  'Aisha', 'Álvaro', 'Amélie', 'Andrzej', 'Anja', 'Bekele', 'Björn', 'Bruno', 'Carmen', 'Chiara',
  'Daniel', 'Dmitri', 'Elif', 'Emma', 'Farah', 'Fatou', 'Gabriel', 'Grace', 'Hana', 'Hiro',
  'Ingrid', 'Iván', 'Jakub', 'Jonas', 'José', 'Kateryna', 'Kofi', 'Laila', 'Łukasz', 'Maria',
  'Mehmet', 'Mira', 'Nadia', 'Noah', 'Olena', 'Omar', 'Priya', 'Rafał', 'Renée', 'Saoirse',
  'Sofía', 'Søren', 'Tariq', 'Thảo', 'Uma', 'Viktor', 'Wanjiru', 'Yusuf', 'Zeynep', 'Zoë',
  '美咲', '伟', 'Олена', 'Νίκος', 'יעל',
];

// prettier-ignore
export const LAST_NAMES: Words = [
  'Adeyemi', 'Andersson', 'Baker', 'Bauer', 'Çelik', 'Chen', 'Cohen', 'Costa', 'Dąbrowski',
  'Diallo', 'Dubois', 'Eriksen', 'Fernández', 'Fischer', 'García', 'Haddad', 'Hansen', 'Hughes',
  'Ivanova', 'Jensen', 'Kaya', 'Kim', 'Kovács', 'Kowalska', 'Larsen', 'Lindqvist', 'Martin',
  'Mbeki', 'Meyer', 'Müller', 'Nakamura', 'Nguyễn', 'Novák', 'O’Brien', "O'Connor", 'Okafor',
  'Papadopoulos', 'Petrov', 'Quispe', 'Rahman', 'Rossi', 'Saito', 'Santos', 'Schmidt', 'Silva',
  'Singh', 'Tanaka', 'Torres', 'Van den Berg', 'Walsh', 'Weiß', 'Yılmaz', 'Zhang', 'Zieliński',
  '村上', 'Шевченко',
];

// prettier-ignore
export const CITIES: Words = [
  'Aarhus', 'Bologna', 'Brno', 'Coimbra', 'Cork', 'Ghent', 'Gießen', 'Kraków', 'León', 'Lyon',
  'Malmö', 'Nairobi', 'Orléans', 'Porto', 'Quito', 'Tampere', 'Tübingen', 'Utrecht', 'Zürich',
];

// prettier-ignore
export const ADJECTIVES: Words = [
  'Bitter', 'Blue', 'Borrowed', 'Brief', 'Careful', 'Distant', 'Early', 'Empty', 'Forgotten',
  'Gentle', 'Golden', 'Hidden', 'Inner', 'Last', 'Little', 'Long', 'Lost', 'Missing', 'Northern',
  'Open', 'Patient', 'Quiet', 'Red', 'Restless', 'Second', 'Silent', 'Small', 'Stolen', 'Winter',
];

// prettier-ignore
export const NOUNS: Words = [
  'Archive', 'Atlas', 'Bridge', 'Cartographer', 'City', 'Clockmaker', 'Coast', 'Daughter', 'Door',
  'Echo', 'Fire', 'Garden', 'Harbour', 'House', 'Island', 'Journey', 'Key', 'Lamp', 'Letter',
  'Library', 'Lighthouse', 'Map', 'Mirror', 'Mountain', 'Night', 'Orchard', 'Paper', 'Promise',
  'River', 'Road', 'Salt', 'Sea', 'Season', 'Shadow', 'Silence', 'Sky', 'Stone', 'Storm', 'Story',
  'Summer', 'Thief', 'Tide', 'Train', 'Tree', 'Voice', 'Wall', 'Window', 'Winter', 'Witness',
];

// prettier-ignore
export const SUBJECTS: Words = [
  'Algebra', 'Astronomy', 'Bees', 'Botany', 'Bread', 'Cities', 'Clay', 'Economics', 'Ethics',
  'Gardens', 'Geology', 'Glass', 'Ice', 'Languages', 'Light', 'Maps', 'Medicine', 'Memory',
  'Migration', 'Mountains', 'Music', 'Numbers', 'Oceans', 'Paper', 'Rivers', 'Sailing', 'Sleep',
  'Soil', 'Statistics', 'Tea', 'Time', 'Trees', 'Volcanoes', 'Water', 'Weather', 'Writing',
];

// prettier-ignore
export const NOTES: Words = [
  'Prefers large print.',
  'Please call after 5 p.m.',
  'Moved in March; new address on file.',
  "Doesn't want reminders by e-mail.",
  'Volunteer for the reading hour 📚',
  'Lost the card twice; ask for a photo ID.',
  'Pays fines at the end of the month.\nAgreed with the branch manager.',
  'Kinderkarte der Familie, Ausleihe bis 12 Bücher',
  'Path of the scan: C:\\cards\\2024\\front.png',
  'Aime la poésie — préfère être appelée « Mme »',
];

/** The most common words first. */
// prettier-ignore
export const REVIEW_WORDS: Words = [
  'the', 'a', 'and', 'of', 'it', 'is', 'to', 'I', 'in', 'that', 'this', 'book', 'was', 'but',
  'with', 'as', 'for', 'not', 'are', 'on', 'have', 'story', 'read', 'you', 'so', 'its', 'one',
  'at', 'from', 'by', 'very', 'more', 'all', 'who', 'characters', 'like', 'an', 'about', 'what',
  'when', 'author', 'her', 'his', 'there', 'into', 'than', 'just', 'time', 'would', 'first', 'end',
  'world', 'some', 'really', 'because', 'chapter', 'never', 'life', 'people', 'felt', 'pages',
  'every', 'way', 'after', 'loved', 'little', 'writing', 'could', 'good', 'through', 'history',
  'again', 'ending', 'slowly', 'reader', 'plot', 'quite', 'beautiful', 'language', 'between',
  'family', 'long', 'novel', 'years', 'perhaps', 'enough', 'always', 'boring', 'second', 'part',
  'library', 'half', 'young', 'mother', 'old', 'recommend', 'town', 'detail', 'voice', 'surprise',
  'village', 'memory', 'river', 'questions', 'translation', 'humour', 'patience', 'evening',
  'finally', 'curious', 'strange', 'wonderful', 'tired', 'brilliant', 'illustrations', 'footnotes',
  'argument', 'evidence', 'sentence', 'paragraph', 'weather', 'journey', 'winter', 'harbour',
  'détail', 'naïve', 'café', 'Übersetzung', 'corazón', '★★★★★',
];
