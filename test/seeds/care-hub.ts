import { config, csv, held, open, type Row, type System, testsOf } from './row.ts'

const api = testsOf('test/api/care-hub.test.ts')
const scheduler = testsOf('src/engine/schedule/scheduler.test.ts')
const stays = testsOf('src/ml/learners/room-stay.test.ts')

const events: readonly Row[] = [
  open('TrainOccupancyModelEvent', 'fires every 12 h, first after 30 s'),
  open('TrainMotionModelEvent', 'fires every 12 h, first after 15 s'),
  open('TrainBurglaryModelEvent', 'fires every 12 h, first after 30 s'),
  open('AnalyzeMotionEvent', 'fires every 24 h, first after 20 s'),
  open('CheckBurglaryEvent', 'fires every hour, first after 40 s'),
  open('CheckEmergencyEvent', 'fires every 30 min, first after 50 s'),
  open('EmergencyEvent', 'raised with a message when a stay is too long', 'message'),
  open('BurglaryEvent', 'raised with a message when movements are unusual', 'message'),
]

const sensors: readonly Row[] = [
  open('1_5_9', 'default bucket of kitchen_PIR'),
  open('1_5_10', 'default bucket of kitchen_battery'),
  open('1_4_7', 'default bucket of livingroom_PIR'),
  open('1_4_8', 'default bucket of livingroom_battery'),
  open('1_4_11', 'default bucket of livingroom_magnetic_switch'),
  open('1_3_6', 'default bucket of bathroom_PIR'),
  open('1_3_5', 'default bucket of bathroom_battery'),
]

const variables: readonly Row[] = [
  open('INFLUX_HOST', 'host of InfluxDB'),
  open('INFLUX_URL', 'address of InfluxDB'),
  open('INFLUX_TOKEN', 'token of InfluxDB'),
  open('INFLUX_USER', 'user of InfluxDB'),
  open('INFLUX_PASS', 'password of InfluxDB'),
  open('INFLUX_ORG', 'organisation of InfluxDB'),
  open('BUCKET_DICT', 'JSON: bucket to sensor name', 'JSON'),
  held('MINIO_ENDPOINT', 'object store of models', config('the names of the older systems for models')),
  held('MINIO_ACCESS_KEY', 'its access key', config('the names of the older systems for models')),
  held('MINIO_SECRET_KEY', 'its secret key', config('the names of the older systems for models')),
  open('FETCHED_DATA_FOR_RETRAINING_HOURS', 'length of the training window'),
  open('VIZ_COMPONENT_URL', 'another visualisation component that receives infos and to-dos'),
  open('SCH_SERVICE_NAME', 'name of the gateway in service discovery'),
]

/** System A: occupancy. */
export const careHub: System = {
  name: 'A',
  rows: [
    held(
      'trigger: periodic',
      'fires an event after each period, the first time after one period',
      scheduler(
        'a period fires first after one whole period, or at the moment it is given, and keeps its beat',
      ),
      'duration wait_time',
    ),
    held('trigger: one-shot', 'fires once', scheduler('a one-shot fires once, also when it was missed')),
    held(
      'trigger: duration',
      'periods as Go writes durations: 12h, 30s',
      testsOf('src/engine/schedule/scheduler-duration.test.ts')('"%s" is %d ms'),
      '12h 30s',
    ),
    held(
      'function',
      'called with all its events once they have arrived, with their local times',
      api('a function is called with all its events, once they have come'),
      'name data Event timestamp YYYY MM DDTHH SS',
    ),
    held('POST /api/event', 'fires an event', api('an event'), 'name data'),
    held(
      'POST /api/function',
      'registers a function; same name replaces',
      api('a function without a method is called by GET, without a body; same name replaces'),
      'name subs url method GET mock',
    ),
    held(
      'DELETE /api/function',
      'removes a function',
      api('a function that was removed is not called any more'),
      'name',
    ),
    held(
      'GET /api/status',
      'functions and the events they wait for',
      api('the status'),
      'name subs last_invoke ms null events ready waiting',
    ),
    held('GET /api/sif', 'the same as the status', api('the status by its other name')),
    ...events,
    held(
      'POST /api/train',
      'trains all models',
      api('training says who wanted it, and how many series learn'),
      'status success error message no_data',
    ),
    open('POST /api/create_occupancy_model_function', 'trains and stores the occupancy model'),
    open('POST /api/create_motion_model_function', 'trains and stores the motion model'),
    open('POST /api/create_burglary_model_function', 'trains and stores the burglary model'),
    open('POST /api/check_emergency_detection_function', 'checks the current stay'),
    open('POST /api/check_burglary_detection_function', 'checks the last movements'),
    open('POST /api/motion_analysis_function', 'analyses the days since the last analysis'),
    held(
      'POST /api/create_emergency_notification_function',
      'tells people about an emergency',
      api('an emergency'),
    ),
    held(
      'POST /api/create_burglary_notification_function',
      'tells people about a burglary',
      api('a burglary'),
    ),
    held('POST /api/info', 'keeps an info', api('news'), 'timestamp ms summary detail level'),
    held(
      'GET /api/info',
      'infos of 7 days, newest first',
      api('of the last seven days come newest first, and go by their moment'),
    ),
    held('DELETE /api/info', 'removes the infos with a timestamp', api('news that goes'), 'timestamp'),
    open(
      'POST /api/todo',
      'keeps a to-do; both spellings of its title',
      'timestamp ms titel sic accept title too msg level',
    ),
    open('GET /api/todo', 'to-dos of 7 days, highest level first'),
    open('DELETE /api/todo', 'removes the to-dos with a timestamp', 'timestamp'),
    open('info: training', 'a training sends an info of level 1'),
    open('todo: alarm', 'an emergency and a burglary send a to-do of level 2'),
    open('todo: battery', 'a low battery sends a to-do'),
    open(
      'bucket',
      'one bucket per sensor, named user_device_sensor',
      '<user>_<device>_<sensor> user device sensor',
    ),
    ...sensors,
    open('measurement PIR', 'field roomID contains a room name', 'PIR roomID'),
    open('measurement MagneticSwitch', 'field roomID', 'MagneticSwitch roomID'),
    open('measurement battery', 'state of charge and voltage', 'battery soc voltage'),
    open('tag _type', 'marks sensor values', '_type sensor-value value'),
    open(
      'fetched record',
      'one record as the system reads it',
      'sensor name bucket timestamp ms value type battery field',
    ),
    open('topic <user>/<device>/data', 'devices publish over MQTT', '/data'),
    held(
      'import of its records',
      'motion by room, doors apart',
      csv('home care records: motion by room, the door apart'),
    ),
    held(
      'model: stays',
      'consecutive events of a room are a stay; a door splits',
      stays('from the first to the last event of a room, in order of time, a door between them splitting'),
      'value',
    ),
    held(
      'model: mean and std',
      'sample standard deviation, 0 for one stay',
      stays('has the mean and the sample standard deviation of the home care hub'),
      'mean std',
    ),
    open(
      'model: object',
      'model_<time>.json with records, and latest.txt, in bucket models',
      'model_<YYYYMMDDHHMMSS>.json latest.txt models value mean std',
    ),
    open('rule: emergency', 'the current stay is outside mean +- 3 std'),
    held(
      'fault: lying still',
      'the current stay runs to now',
      stays('the last stay runs to now, so that somebody who lies still is seen'),
    ),
    open('rule: gaps', 'a gap above 1800 s is sleep or outside, by the hour'),
    open(
      'analysis: motion',
      'per day: sleep, outside, visits, wake and sleep times, transitions; as info of level 1',
    ),
    open('rule: burglary', 'isolation forest on transitions, six weeks, the last two hours'),
    ...variables,
  ],
}
