import { config, held, open, type System } from './row.ts'

/** System C: environment. */
export const environment: System = {
  name: 'C',
  rows: [
    open(
      'GET /ingest',
      'fetches and checks each configured box; 200 though one fails',
      'box_name box_id data title value unit timestamp prediction predictions error 1 -1',
    ),
    open('/ingestor/ingest', 'the same under its service name'),
    open(
      'POST /predict',
      'checks the values of one box',
      'box_name box_id data title value unit timestamp predictions scores reasons 1 -1',
    ),
    open('/predictor/predict', 'the same under its service name'),
    open('predict: 400', 'names the missing fields', 'error Missing data or box_name in request'),
    open('/ingestor/health', 'health of the ingestor'),
    open('/predictor/health', 'health of the predictor'),
    open(
      'GET {base}/boxes/{id}?format=json',
      'reads the latest measurements of a box',
      'sensors _id title unit sensorType lastMeasurement value a string createdAt',
    ),
    open(
      '/boxes/{id}/data/{sensorId}?from-date',
      'reads history, a day a call, at most 10,000 points',
      'from-date to-date format csv',
    ),
    open('/boxes/{id}/data', 'the form of the document, tried first where configured'),
    open('?phenomenon=', 'the form of the document, tried first where configured'),
    open('titles', 'localised titles are matched by unit and synonyms'),
    open('fetch_from_box', 'fetches a training set, merges boxes, writes CSV', 'box start end'),
    open('train, export', 'commands that train and export a model'),
    open('fault: shared history', 'each box has a history of its own'),
    open('fault: unused threshold', 'the configured threshold decides'),
    held(
      '.env',
      'layered environment files',
      config('.env.local over .env, .env.production over both'),
      '.env.development .env.production',
    ),
    held('MODEL_PATH', 'where models are kept', config('the names of the older systems for models')),
    held('LOG_LEVEL', 'level of the log', config('the names of the older systems')),
    open('PREDICTOR_URL', 'address of another predictor'),
    open('OPENSENSEMAP_BOX_ID', 'boxes, separated by commas', 'comma list'),
    open('OPENSENSEMAP_BASE_URL', 'address of openSenseMap'),
    open('ANOMALY_THRESHOLD', 'score from which a value is an anomaly'),
    open('TRAIN_DATA_PATH', 'file of the training set'),
    open('MODEL_OUTPUT_PATH', 'file of the exported model'),
  ],
}
