import { smoke as api, config, csv, held, open, type Row, type System } from './row.ts'

const models = 'the names of the older systems for models'
const table = 'is answered to who may ask: %s'

const routes: readonly Row[] = [
  held(
    'GET /health',
    'healthy or degraded, and its model',
    api('/health has the fields that its clients read'),
    'status healthy degraded timestamp model_loaded model_path uptime_seconds',
  ),
  held(
    'GET /model/info',
    'the live model; 500 where there is none',
    api('where no model is live, there is no info and nothing to read anew'),
    'model_type algorithm feature_count training_timestamp version loaded_at error Model not available',
  ),
  open(
    'POST /predict',
    'fire or no fire for one reading',
    'prediction prediction_label fire no_fire confidence processing_time_seconds timestamp model_info algorithm version 0 1',
  ),
  open(
    'predict: 400',
    'not JSON, no data, invalid data with details',
    'error Request must be JSON No data provided Invalid input details valid errors warnings',
  ),
  open(
    'POST /predict/batch',
    'at most 1000 readings, bare or as data',
    'data predictions index prediction prediction_label confidence error summary total_samples successful_predictions fire_detections no_fire_detections errors processing_time_seconds timestamp',
  ),
  open('batch: 400', 'not a list', 'error Data must be a list of sensor readings'),
  open('GET /predict/sample', 'a prediction of a made reading', 'input_data prediction'),
  open('GET /predict/fire-scenario', 'a prediction of a made fire', 'input_data prediction'),
  open('POST /validate', 'checks a reading', 'valid errors warnings'),
  open(
    'GET /sensors/schema',
    'fields, their types, units and ranges',
    'required_fields 12 field_types name type unit range validation_rules',
  ),
  held(
    'POST /model/reload',
    'loads the newest model; 500 where there is none',
    api('a damaged live model is gone with the next reload, and the one before it is told'),
    'status success error message model_info timestamp',
  ),
  held(
    'GET /predictions/stats',
    'how often models were asked',
    api('rows that were asked for are counted, each site for itself'),
    'total_predictions fire_predictions no_fire_predictions batch_predictions average_confidence average_processing_time last_reset fire_detection_rate_percent safe_detection_rate_percent uptime_seconds timestamp',
  ),
  held(
    'GET /config',
    'limits and endpoints',
    api('/config lists what can be asked, and neither secrets nor paths of the machine'),
    'endpoints path method description',
  ),
  held('roles', 'a key that may not call a route is refused', api(table)),
  held(
    '404',
    'unknown paths answer in its form',
    api('%s is no endpoint, said as its clients expect it'),
    'error Endpoint not found',
  ),
]

const fields: readonly Row[] = [
  'Temperature[C]',
  'Humidity[%]',
  'TVOC[ppb]',
  'eCO2[ppm]',
  'Raw H2',
  'Raw Ethanol',
  'Pressure[hPa]',
  'PM1.0',
  'PM2.5',
  'NC0.5',
  'NC1.0',
  'NC2.5',
].map((name) => open(`field ${name}`, 'a feature; the short name is an alias', name))

const metrics: readonly Row[] = [
  open('smoke_api_requests_total', 'requests', 'method endpoint status'),
  open('smoke_api_request_duration_seconds', 'their time'),
  open('smoke_api_predictions_total', 'predictions', 'prediction_type result'),
  open('smoke_api_model_info', 'the live model', 'model_version model_type'),
  open('smoke_api_errors_total', 'errors', 'error_type'),
  open('smoke_api_processing_time_seconds', 'time of predictions'),
  open('fire_alarm_total', 'fires'),
]

const rules: readonly Row[] = [
  open('field UTC, CNT, Fire Alarm', 'accepted, never features'),
  open('missing field', 'a warning; it counts as missing, not as 0'),
  held(
    'import of its records',
    'by flags that give the times',
    csv('smoke: no time column is an error that names the flags; with them it is imported'),
  ),
  open('topic smoke_sensor_data', 'Kafka: readings'),
  open('topic smoke_analytics', 'Kafka: results'),
  open('stream: windows', '5 min sliding by 1 min, watermark 10 min, results every 30 s'),
  open(
    'stream: statistics',
    'means, extremes, deviations, median, percentile, counts, nulls, devices, locations',
  ),
  open('stream: Parquet', 'raw rows by device'),
  open('alert', 'the form of an alert', 'level CRITICAL HIGH LOW type value threshold message'),
  open('alert: temperature', '80, 50 and -10 degrees'),
  open('alert: TVOC', '2000 and 1000'),
  open('alert: PM2.5', '75 and 35'),
  open('alert: fire alarm', 'always critical'),
  open('alert: statistical', 'z above 3 over 100 readings, from 30 on'),
  open('alert: pattern', 'two or three of temperature, TVOC, eCO2 and PM2.5'),
  open('data quality', '0 to 100: few records, stuck sensor, impossible extremes'),
  open('life: ready at once', 'rules answer until the model is loaded'),
  open('life: backups', 'five newest are kept by name', 'model_backup_YYYYMMDD_HHMMSS'),
  open('life: hot reload', 'without a dropped request'),
  open('fault: leaking columns', 'time and counter are no features; the split is by time'),
  open('fault: unbuilt features', 'serving builds the features of training'),
  open('fault: alarm flag', 'the alarm flag is not sent to the model'),
]

const variables: readonly Row[] = [
  held('ML_TRAINING_INTERVAL_HOURS', 'hours between trainings', config(models)),
  held('ML_RETRAIN_HOUR', 'hour of the daily training', config(models)),
  open('MODEL_SAVE_LOCAL', 'keep models on disk'),
  held(
    'MODEL_SAVE_SHARED',
    'keep models in the object store',
    config('models on disk where the older system did not share them'),
  ),
  held('MODEL_PATH', 'where models are kept', config(models)),
  held('MODEL_RELOAD_INTERVAL', 'seconds between looks for a newer model', config(models)),
]

/** System E: smoke. */
export const smoke: System = {
  name: 'E',
  rows: [...routes, ...fields, ...metrics, ...rules, ...variables],
}
